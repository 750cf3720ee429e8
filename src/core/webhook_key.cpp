#include "sluice/core/webhook_key.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <vector>

namespace sluice {
namespace {

constexpr std::string_view kPrefix = "whsec_";
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// For OpenSSL, which counts in int and in unsigned char.
const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string base64_of(const std::array<unsigned char, 32>& bytes) {
  std::array<unsigned char, 45> text{};  // 44 and a zero
  const int size = EVP_EncodeBlock(text.data(), bytes.data(), static_cast<int>(bytes.size()));
  return {text.begin(), text.begin() + size};
}

std::expected<Secret, std::string> base64_decoded(std::string_view text) {
  constexpr std::size_t kLongest = 4096;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  // OpenSSL is more generous, and takes padding for zeros.
  const bool plain = text.substr(0, text.size() - padding).find_first_not_of(kAlphabet) == text.npos;
  const bool fits = plain && !text.empty() && text.size() % 4 == 0 && text.size() <= kLongest;
  std::vector<unsigned char> bytes(text.size());
  const int size = fits ? EVP_DecodeBlock(bytes.data(), bytes_of(text), static_cast<int>(text.size())) : -1;
  if (size < 0) return std::unexpected("what follows whsec_ is no base64");
  Secret secret;
  secret.append({reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(size) - padding});
  wipe(bytes.data(), bytes.size());
  return secret;
}

}  // namespace

std::expected<WebhookKey, std::string> WebhookKey::from(const Secret& written) {
  const std::string_view text = written.reveal();
  if (text.empty()) return std::unexpected("it is empty, and every webhook is signed");
  if (!text.starts_with(kPrefix)) return WebhookKey(written);
  auto key = base64_decoded(text.substr(kPrefix.size()));
  if (!key) return std::unexpected(std::move(key.error()));
  return WebhookKey(std::move(*key));
}

std::string WebhookKey::sign(std::string_view id, std::int64_t timestamp, std::string_view body) const {
  std::string signed_text(id);
  signed_text.append(".").append(std::to_string(timestamp)).append(".").append(body);
  const std::string_view key = key_.reveal();
  std::array<unsigned char, 32> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(signed_text), signed_text.size(), digest.data(),
       &size);
  return "v1," + base64_of(digest);
}

}  // namespace sluice
