#pragma once
// What may stand in a header that an admin adds (RFC 9110 sections 5.1, 5.5 and 5.6.2). A sentence says what is wrong;
// it never holds a value.

#include <optional>
#include <string>
#include <string_view>

namespace sluice::config {

bool is_token(std::string_view text);

// `name` in lower case.
std::optional<std::string> header_name_error(std::string_view name);
// Printable ASCII, spaces inside only.
std::optional<std::string> header_value_error(std::string_view value);
// Printable ASCII without a space.
std::optional<std::string> credential_error(std::string_view value);

}  // namespace sluice::config
