#pragma once
// redis://user:${REDIS_PASSWORD}@host:6379/0

#include "config/reader.hpp"
#include "sluice/config/config.hpp"

namespace sluice::config {

// Fills in endpoint, TLS, user, password and database; false: what is wrong has been reported, without the text. The
// password is one reference to the environment, or the whole URL is; then user and password are percent-decoded.
bool read_redis_url(const Value& value, Redis& redis);

}  // namespace sluice::config
