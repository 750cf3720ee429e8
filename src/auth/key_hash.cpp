#include "sluice/auth/key_hash.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "sluice/config/key_hash.hpp"

namespace sluice::auth {
namespace {

constexpr std::string_view kPrefix = "sk-sluice-";
constexpr std::size_t kSecretSize = 43;
constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

void fill_random(unsigned char* bytes, std::size_t count) {
  if (RAND_bytes(bytes, static_cast<int>(count)) != 1) throw std::runtime_error("the system gives no random bytes");
}

// Bytes that would favour some digits are thrown away.
void append_random(Secret& text, std::size_t count) {
  while (count > 0) {
    unsigned char byte = 0;
    fill_random(&byte, 1);
    if (byte >= 4 * kDigits.size()) continue;
    text.append(kDigits.substr(byte % kDigits.size(), 1));
    --count;
  }
}

using Digest = std::array<std::uint8_t, 32>;
Digest digest_of(const std::array<std::uint8_t, 16>& salt, std::string_view key) {
  Digest digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), salt.data(), static_cast<int>(salt.size()), reinterpret_cast<const unsigned char*>(key.data()),
       key.size(), digest.data(), &size);
  return digest;
}

}  // namespace

NewKey make_key() {
  NewKey made;
  made.key.append(kPrefix);
  append_random(made.key, config::kKeyIdSize);
  made.key.append("-");
  append_random(made.key, kSecretSize);
  made.hash = hash_of(made.key.reveal());
  return made;
}

config::KeyHash hash_of(std::string_view key) {
  config::KeyHash hash;
  hash.id = key.substr(kPrefix.size(), config::kKeyIdSize);
  fill_random(hash.salt.data(), hash.salt.size());
  hash.digest = digest_of(hash.salt, key);
  return hash;
}

bool matches(const config::KeyHash& hash, std::string_view key) {
  const Digest digest = digest_of(hash.salt, key);
  return CRYPTO_memcmp(digest.data(), hash.digest.data(), digest.size()) == 0;
}

bool is_key(std::string_view text) {
  const auto id = text.substr(std::min(text.size(), kPrefix.size()), config::kKeyIdSize);
  return text.size() == kPrefix.size() + config::kKeyIdSize + 1 + kSecretSize && text.starts_with(kPrefix) &&
         config::is_base62(id) && text[kPrefix.size() + config::kKeyIdSize] == '-' &&
         config::is_base62(text.substr(text.size() - kSecretSize));
}

}  // namespace sluice::auth
