#include "sluice/config/key_hash.hpp"

#include <algorithm>
#include <span>

namespace sluice::config {
namespace {

using Error = std::unexpected<std::string>;

constexpr std::string_view kScheme = "sluice1:";
constexpr std::string_view kForm = "; expected sluice1:ID:SALT:DIGEST as `sluice key new` prints it";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool read_hex(std::string_view text, std::span<std::uint8_t> out) {
  if (text.size() != 2 * out.size()) return false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = hex_digit(text[2 * i]);
    const int low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

void append_hex(std::string& out, std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const std::uint8_t byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
}

std::string_view take_part(std::string_view& rest) {
  const auto colon = std::min(rest.find(':'), rest.size());
  const auto part = rest.substr(0, colon);
  rest.remove_prefix(std::min(colon + 1, rest.size()));
  return part;
}

}  // namespace

bool is_base62(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); });
}

std::expected<KeyHash, std::string> parse_key_hash(std::string_view text) {
  if (!text.starts_with(kScheme)) {
    return Error(
        "a key must not stand in the file, only its hash: run `sluice key new` for a new key, or `sluice key hash` for "
        "one made before, and paste what it prints");
  }
  text.remove_prefix(kScheme.size());
  KeyHash hash;
  hash.id = take_part(text);
  if (hash.id.size() != kKeyIdSize || !is_base62(hash.id)) {
    return Error("the id is not 12 letters and digits" + std::string(kForm));
  }
  if (!read_hex(take_part(text), hash.salt)) return Error("the salt is not 32 hexadecimal digits" + std::string(kForm));
  if (!read_hex(text, hash.digest)) return Error("the digest is not 64 hexadecimal digits" + std::string(kForm));
  return hash;
}

std::string to_text(const KeyHash& hash) {
  std::string out = std::string(kScheme) + hash.id + ":";
  append_hex(out, hash.salt);
  out += ':';
  append_hex(out, hash.digest);
  return out;
}

}  // namespace sluice::config
