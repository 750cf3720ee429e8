#include "server/tls_failure.hpp"

#include <spdlog/spdlog.h>

namespace sluice::server {

void report_tls_failure(const http::IoError& error, const http::TcpSocket& client, observe::Metrics& metrics) {
  metrics.count_tls_error(to_string(error.tls));
  if (!spdlog::should_log(spdlog::level::debug)) return;
  boost::system::error_code gone;
  const auto peer = client.remote_endpoint(gone);
  spdlog::debug("TLS handshake with {} failed: {}: {}", gone ? "a client" : peer.address().to_string(),
                to_string(error.tls), error.detail);
}

}  // namespace sluice::server
