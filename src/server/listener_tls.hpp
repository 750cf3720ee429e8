#pragma once
// The TLS of the apps' listener, from what the configuration says about it.

#include <expected>
#include <memory>
#include <string>

#include "sluice/config/load.hpp"
#include "sluice/http/tls.hpp"

namespace sluice::server {

// Null when the listener is plain. A certificate that is not valid today is used all the same, with a note.
std::expected<std::shared_ptr<const http::TlsContext>, config::Problem> make_listener_tls(config::Loaded& loaded);

// "2026-11-21": a day in UTC.
std::string day_of(http::TlsContext::Time time);

}  // namespace sluice::server
