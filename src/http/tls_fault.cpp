#include "http/tls_fault.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>

namespace sluice::http {
namespace {

constexpr unsigned char kHandshakeRecord = 0x16;
constexpr unsigned char kOldestHello = 0x80;  // SSL 2 marks the first byte of a record

constexpr std::array<std::string_view, 11> kNames = {"plain_http",
                                                     "not_tls",
                                                     "old_version",
                                                     "no_shared_cipher",
                                                     "no_shared_protocol",
                                                     "no_client_certificate",
                                                     "bad_client_certificate",
                                                     "client_alert",
                                                     "timeout",
                                                     "closed",
                                                     "other"};
static_assert(kNames.size() == static_cast<std::size_t>(TlsFault::kOther) + 1);

// A request begins with its method in capitals and a space, which may not have come yet.
bool looks_like_http(std::string_view bytes) {
  const auto method = bytes.substr(0, bytes.find(' '));
  return method.size() >= 3 && std::ranges::all_of(method, [](char c) { return c >= 'A' && c <= 'Z'; });
}

}  // namespace

std::string_view to_string(TlsFault fault) { return kNames[static_cast<std::size_t>(fault)]; }

std::string last_openssl_error() {
  const unsigned long code = ERR_peek_error();
  if (code == 0) return "unknown error";
  if (const char* reason = ERR_reason_error_string(code)) return reason;
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

TlsFault tls_fault_of(unsigned long code, std::string_view first_bytes) {
  if (looks_like_http(first_bytes)) return TlsFault::kPlainHttp;
  const auto first = static_cast<unsigned char>(first_bytes.front());
  if ((first & kOldestHello) != 0) return TlsFault::kOldVersion;
  if (first != kHandshakeRecord) return TlsFault::kNotTls;
  if (ERR_GET_LIB(code) != ERR_LIB_SSL) return TlsFault::kOther;
  const int reason = ERR_GET_REASON(code);
  if (reason > SSL_AD_REASON_OFFSET) return TlsFault::kAlert;
  switch (reason) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_INAPPROPRIATE_FALLBACK:
      return TlsFault::kOldVersion;
    case SSL_R_WRONG_VERSION_NUMBER:
      return TlsFault::kNotTls;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SHARED_GROUPS:
    case SSL_R_NO_SUITABLE_GROUPS:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
      return TlsFault::kNoSharedCipher;
    case SSL_R_NO_APPLICATION_PROTOCOL:
      return TlsFault::kNoSharedProtocol;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return TlsFault::kNoClientCertificate;
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return TlsFault::kBadClientCertificate;
    default:
      return TlsFault::kOther;
  }
}

}  // namespace sluice::http
