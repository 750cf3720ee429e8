#include "sluice/core/content_hash.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <stdexcept>

namespace sluice {
namespace {

constexpr std::size_t kShown = 16;  // bytes

Secret draw() {
  std::array<char, 32> bytes{};
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) != 1) {
    throw std::runtime_error("the system gives no random bytes");
  }
  Secret secret;
  secret.append({bytes.data(), bytes.size()});
  wipe(bytes.data(), bytes.size());
  return secret;
}

const Secret& of_this_process() {
  static const Secret kDrawn = draw();
  return kDrawn;
}

}  // namespace

ContentHash::ContentHash(const Secret& secret) : key_(secret.empty() ? of_this_process() : secret) {}

std::string ContentHash::operator()(std::string_view text) const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const std::string_view key = key_.reveal();
  std::array<unsigned char, 32> digest{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
           text.size(), digest.data(), &size) == nullptr) {
    throw std::runtime_error("SHA-256 is not available");
  }
  std::string out;
  for (std::size_t i = 0; i < kShown; ++i) (out += kDigits[digest[i] >> 4]) += kDigits[digest[i] & 15];
  return out;
}

}  // namespace sluice
