#pragma once
// A throw-away certificate authority and certificates, good and bad, for servers and clients, made in the process.

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>

namespace sluice::support {

enum class Certificate { kGood, kWrongName, kExpired, kSelfSigned, kUnknownCa };

struct SslContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContext = std::unique_ptr<SSL_CTX, SslContextFree>;

// The certificate of the authority that signs everything but kSelfSigned and kUnknownCa; one per process. PEM.
const std::string& test_ca_pem();

// A new certificate of that kind and its key, as the texts of PEM files. For 127.0.0.1 and localhost; clients may show
// it as well.
struct PemIdentity {
  std::string certificate;
  std::string key;
};
PemIdentity make_identity(Certificate certificate);

// For a server on 127.0.0.1 and localhost. `only_tls_1_1` offers nothing newer.
SslContext server_context(Certificate certificate, bool only_tls_1_1 = false);

// For a client that trusts the authority and shows a certificate of that kind, if one is named.
SslContext client_context(std::optional<Certificate> certificate = std::nullopt);

}  // namespace sluice::support
