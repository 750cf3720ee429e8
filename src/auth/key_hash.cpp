#include "sluice/auth/key_hash.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <span>
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

// SHA-256 of one text after another. OpenSSL's HMAC() looks its algorithms up anew in each call, which takes several
// times as long as all the hashing; every request hashes at least once.
class Hasher {
 public:
  Hasher() : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
    if (algorithm_ == nullptr || context_ == nullptr) throw std::runtime_error("OpenSSL has no SHA-256");
  }
  ~Hasher() {
    EVP_MD_CTX_free(context_);
    EVP_MD_free(algorithm_);
  }
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  Digest operator()(std::span<const std::uint8_t> first, std::span<const std::uint8_t> second) const {
    Digest digest{};
    const bool done = EVP_DigestInit_ex2(context_, algorithm_, nullptr) == 1 &&
                      EVP_DigestUpdate(context_, first.data(), first.size()) == 1 &&
                      EVP_DigestUpdate(context_, second.data(), second.size()) == 1 &&
                      EVP_DigestFinal_ex(context_, digest.data(), nullptr) == 1;
    if (!done) throw std::runtime_error("SHA-256 failed");
    return digest;
  }

 private:
  EVP_MD* algorithm_;
  EVP_MD_CTX* context_;
};

// HMAC (RFC 2104 section 2); the salt is shorter than a block.
Digest digest_of(const std::array<std::uint8_t, 16>& salt, std::string_view key) {
  static thread_local const Hasher hash;
  std::array<std::uint8_t, 64> inner{};
  std::array<std::uint8_t, 64> outer{};
  std::ranges::copy(salt, inner.begin());
  outer = inner;
  for (auto& byte : inner) byte ^= 0x36;
  for (auto& byte : outer) byte ^= 0x5C;
  const auto* text = reinterpret_cast<const std::uint8_t*>(key.data());
  return hash(outer, hash(inner, {text, key.size()}));
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

std::optional<std::string_view> key_id(std::string_view text) {
  return is_key(text) ? std::optional(text.substr(kPrefix.size(), config::kKeyIdSize)) : std::nullopt;
}

}  // namespace sluice::auth
