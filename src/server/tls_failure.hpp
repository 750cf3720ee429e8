#pragma once
// A client's handshake that came to nothing: a counter, and a line for whoever debugs.

#include "http/transport.hpp"
#include "sluice/observe/metrics.hpp"

namespace sluice::server {

void report_tls_failure(const http::IoError& error, const http::TcpSocket& client, observe::Metrics& metrics);

}  // namespace sluice::server
