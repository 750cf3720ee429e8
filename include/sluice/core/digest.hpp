#pragma once
// SHA-256 (FIPS 180-4) of a text in memory. Any thread.

#include <array>
#include <cstdint>
#include <string_view>

namespace sluice {

using Sha256 = std::array<std::uint8_t, 32>;
// Throws std::runtime_error where the cryptographic library has no memory for it.
Sha256 sha256(std::string_view text);
// Its first 64 bits.
std::uint64_t digest64(std::string_view text);

}  // namespace sluice
