#include "sluice/core/digest.hpp"

#include <openssl/evp.h>

#include <stdexcept>

namespace sluice {

Sha256 sha256(std::string_view text) {
  Sha256 digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 failed");
  }
  return digest;
}

std::uint64_t digest64(std::string_view text) {
  const Sha256 digest = sha256(text);
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < sizeof bits; ++i) bits = bits << 8 | digest[i];
  return bits;
}

}  // namespace sluice
