#pragma once
// What must hold of the bytes of a file before a YAML parser sees them, and where a byte stands.

#include <cstddef>
#include <optional>
#include <string_view>

#include "sluice/config/load.hpp"

namespace sluice::config {

inline constexpr std::size_t kMaxFileBytes = 1024 * 1024;

// Offset of the first byte that is not part of well-formed UTF-8 (RFC 3629), if there is one.
std::optional<std::size_t> find_bad_utf8(std::string_view text);

// At most `most` bytes of UTF-8 without control characters (tab, CR and LF excepted).
std::optional<Problem> check_source(std::string_view text, std::size_t most = kMaxFileBytes);

}  // namespace sluice::config
