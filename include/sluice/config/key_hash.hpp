#pragma once
// What is kept of a client's key, as text: "sluice1:ID:SALT:DIGEST", ID being 12 characters of base 62, SALT 32 and
// DIGEST 64 hexadecimal digits in lower case. sluice1 says how the digest was made; see auth/key_hash.hpp.

#include <expected>
#include <string>
#include <string_view>

#include "sluice/config/config.hpp"

namespace sluice::config {

inline constexpr std::size_t kKeyIdSize = 12;

// The error is a sentence for the admin and never repeats the text, which may be a key pasted at the wrong place.
std::expected<KeyHash, std::string> parse_key_hash(std::string_view text);
std::string to_text(const KeyHash& hash);

bool is_base62(std::string_view text);

}  // namespace sluice::config
