#pragma once
// Names that an admin gives to keys, groups and tags. A sentence says what is wrong with one; nothing: it is good.

#include <optional>
#include <string>
#include <string_view>

namespace sluice::config {

// 1 to 64 of A-Z, a-z, 0-9, ".", "_" and "-".
std::optional<std::string> key_name_error(std::string_view name);
// "acme/search": one to eight segments of a-z, 0-9, "_" and "-", at most 256 bytes.
std::optional<std::string> group_path_error(std::string_view path);
std::optional<std::string> tag_name_error(std::string_view name);
// At most 64 bytes of text without control characters.
std::optional<std::string> tag_value_error(std::string_view value);

}  // namespace sluice::config
