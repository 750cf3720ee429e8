#include "sluice/http/tls.hpp"

#include <boost/asio/ssl/context.hpp>

namespace sluice::http {

namespace ssl = boost::asio::ssl;

TlsContext::TlsContext(bool verify)
    : context_(std::make_unique<ssl::context>(ssl::context::tls_client)), verify_(verify) {}
TlsContext::~TlsContext() = default;

std::expected<std::shared_ptr<const TlsContext>, std::string> TlsContext::create(const std::string& ca_file,
                                                                                 bool verify) {
  std::shared_ptr<TlsContext> made(new TlsContext(verify));
  SSL_CTX* native = made->context_->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  // Buffers of idle and waiting connections go back to the allocator: a thousand open streams stay small.
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  boost::system::error_code failed;
  if (ca_file.empty()) {
    made->context_->set_default_verify_paths(failed);
  } else {
    made->context_->load_verify_file(ca_file, failed);
  }
  if (failed) return std::unexpected("cannot read CA certificates: " + failed.message());
  made->context_->set_verify_mode(verify ? ssl::verify_peer : ssl::verify_none, failed);
  return made;
}

}  // namespace sluice::http
