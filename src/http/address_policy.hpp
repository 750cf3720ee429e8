#pragma once
// Which addresses an upstream's name may lead to. Judged after every look-up, before every connection: a name that is
// bound to another address later gains nothing.

#include <vector>

#include "http/io_result.hpp"
#include "sluice/core/upstream_counts.hpp"
#include "sluice/http/client.hpp"

namespace sluice::http {

// Takes out of `addresses`, to which the origin's name led, those that must not be connected to, and counts them. An
// address that is written in the configuration, and localhost for loopback, are the operator's own word; any other
// loopback, private or reserved address must lie in `origin.allowed`. Link-local, metadata and multicast addresses
// never serve. kRefused if none is left: the detail says which it was and what would allow it.
IoResult<void> keep_allowed(const Origin& origin, std::vector<IpAddress>& addresses, UpstreamCounts& counts);

}  // namespace sluice::http
