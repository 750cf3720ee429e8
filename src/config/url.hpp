#pragma once
// Where a provider lives (RFC 3986). Errors never repeat the text: a URL may hold a password or a key.

#include <expected>
#include <string>
#include <string_view>

#include "sluice/config/config.hpp"

namespace sluice::config {

// http or https, host, optional port, path and query; no user, no fragment, no dot segments. Trailing slashes go.
std::expected<Url, std::string> parse_base_url(std::string_view text);

// A path to put after a base URL: starts with a slash; {model} stands for the upstream's name of the model.
std::expected<std::string, std::string> parse_endpoint_path(std::string_view text);

}  // namespace sluice::config
