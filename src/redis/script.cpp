#include "sluice/redis/script.hpp"

#include <openssl/evp.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace sluice::redis {

Script::Script(std::string text) : text_(std::move(text)) {
  std::array<unsigned char, 20> digest{};
  unsigned size = 0;
  if (EVP_Digest(text_.data(), text_.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1)
    throw std::runtime_error("OpenSSL has no SHA-1");
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const unsigned char byte : digest) {
    sha1_ += kDigits[byte >> 4];
    sha1_ += kDigits[byte & 15];
  }
}

}  // namespace sluice::redis
