#include "support/client_keys.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "support/canary.hpp"

namespace sluice::support {
namespace {

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    text += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    text += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

std::string padded(std::string text, std::size_t size) { return text.append(size - text.size(), 'x'); }

}  // namespace

std::string ClientKey::row(std::string_view name, std::string_view more) const {
  std::string out = "{name: ";
  out.append(name).append(", hash: \"").append(hash).append("\"");
  if (!more.empty()) out.append(", ").append(more);
  return out + "}";
}

ClientKey client_key(unsigned number) {
  const std::string id = padded("k" + std::to_string(number), 12);
  std::string mark(kClientMark);
  std::erase(mark, '-');  // base 62
  ClientKey key;
  key.text = "sk-sluice-" + id + "-" + padded(mark + std::to_string(number), 43);
  const std::string salt = padded(std::to_string(number), 16);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), salt.data(), static_cast<int>(salt.size()),
       reinterpret_cast<const unsigned char*>(key.text.data()), key.text.size(), digest.data(), &size);
  key.hash = "sluice1:" + id + ":" + hex(salt) + ":" + hex({reinterpret_cast<const char*>(digest.data()), size});
  return key;
}

}  // namespace sluice::support
