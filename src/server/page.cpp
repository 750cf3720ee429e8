#include "server/page.hpp"

#include <openssl/evp.h>

#include <array>

#include "server/page_text.hpp"

namespace sluice::server {
namespace {

// As Content-Security-Policy names a piece of a page: by what it is.
std::string source_of(std::string_view text) {
  std::array<unsigned char, 32> digest{};
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  std::array<unsigned char, 45> base64{};  // 44 and a zero
  const int size = EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(digest.size()));
  return "'sha256-" + std::string(base64.begin(), base64.begin() + size) + "'";
}

std::string policy() {
  return "default-src 'none'; style-src " + source_of(page::kStyle) + "; script-src " + source_of(page::kScript) +
         "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

}  // namespace

std::string_view page_html() { return page::kHtml; }

http::ResponseStart page_start() {
  static const std::string kPolicy = policy();
  return {.content_type = "text/html; charset=utf-8",
          .fields = {{"content-security-policy", kPolicy},
                     {"cache-control", "no-store"},
                     {"x-content-type-options", "nosniff"},
                     {"referrer-policy", "no-referrer"}}};
}

}  // namespace sluice::server
