#include "sluice/core/secret.hpp"

#include <functional>

#include <openssl/crypto.h>

namespace sluice {

void wipe(void* bytes, std::size_t count) noexcept { OPENSSL_cleanse(bytes, count); }

Secret::Secret(std::string value) {
  append(value);
  wipe(value.data(), value.size());
}

Secret& Secret::append(std::string_view text) {
  bytes_.insert(bytes_.end(), text.begin(), text.end());
  return *this;
}

bool operator==(const Secret& a, const Secret& b) {
  return a.bytes_.size() == b.bytes_.size() && CRYPTO_memcmp(a.bytes_.data(), b.bytes_.data(), a.bytes_.size()) == 0;
}

std::size_t Secret::fingerprint() const { return std::hash<std::string_view>()(reveal()); }

}  // namespace sluice
