#pragma once
// Which addresses an upstream's name may lead to. Judged after every look-up, before every connection: a name that is
// bound to another address later gains nothing.

#include <boost/asio/ip/address.hpp>
#include <span>
#include <string>

#include "sluice/core/ip.hpp"

namespace sluice::http {

// Why `address`, to which `host` led, must not be connected to; empty: it may. An address that is written in the
// configuration, and localhost for loopback, are the operator's own word; any other loopback, private or reserved
// address must lie in `allowed`. Link-local, metadata and multicast addresses never serve. Pure.
std::string refusal_of(const boost::asio::ip::address& address, const std::string& host,
                       std::span<const IpNetwork> allowed);

}  // namespace sluice::http
