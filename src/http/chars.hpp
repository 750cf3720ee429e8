#pragma once
// Character classes of RFC 9110 and RFC 3986 as one table.

#include <array>
#include <cstdint>

namespace sluice::http {

enum CharClass : std::uint8_t { kTokenChar = 1, kValueChar = 2, kObsText = 4, kHostChar = 8 };

constexpr std::array<std::uint8_t, 256> make_char_table() {
  std::array<std::uint8_t, 256> table{};
  auto add = [&](const char* set, std::uint8_t bits) {
    for (; *set != '\0'; ++set) table[static_cast<unsigned char>(*set)] |= bits;
  };
  for (unsigned c = 0x21; c < 0x7F; ++c) table[c] |= kValueChar;
  for (unsigned c = 0x80; c < 0x100; ++c) table[c] |= kObsText;
  table[' '] |= kValueChar;
  table['\t'] |= kValueChar;
  const char* alnum = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  add(alnum, kTokenChar | kHostChar);
  add("!#$%&'*+-.^_`|~", kTokenChar);
  add("-._~!$&'()*+,;=", kHostChar);
  return table;
}
inline constexpr auto kCharTable = make_char_table();

constexpr bool is_class(char c, std::uint8_t classes) {
  return (kCharTable[static_cast<unsigned char>(c)] & classes) != 0;
}

}  // namespace sluice::http
