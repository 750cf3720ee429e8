#pragma once
// Where a provider lives (RFC 3986). Errors never repeat the text: a URL may hold a password or a key.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "sluice/config/config.hpp"

namespace sluice::config {

// http or https, host, optional port, path and query; no user, no fragment, no dot segments. Not at an address that
// nobody means: whoever can ask there gets the credentials of the machine, or this machine itself.
std::expected<Url, std::string> parse_url(std::string_view text);
// The same for what paths are put after: trailing slashes go.
std::expected<Url, std::string> parse_base_url(std::string_view text);

// "redis", "10.0.0.7:6380", "[::1]:6379": a name or an IP address, if need be with a port.
std::expected<Address, std::string> parse_node(std::string_view text, std::uint16_t default_port);

// A path to put after a base URL: starts with a slash; {model} stands for the upstream's name of the model.
std::expected<std::string, std::string> parse_endpoint_path(std::string_view text);

}  // namespace sluice::config
