#pragma once
// Addresses to listen on.

#include <expected>
#include <string>
#include <string_view>

#include "sluice/config/config.hpp"

namespace sluice::config {

// "127.0.0.1:8080", "[::1]:8080" or "localhost:8080"; port 0 lets the system choose.
std::expected<Address, std::string> parse_address(std::string_view text);

bool is_ipv4(const std::string& host);
bool is_loopback(const std::string& host);         // localhost, 127.0.0.0/8, ::1
bool overlap(const Address& a, const Address& b);  // one socket could take the other's connections
std::string to_string(const Address& address);     // as parse_address reads it

}  // namespace sluice::config
