#pragma once
// A throw-away certificate authority and server certificates, good and bad, made in the process.

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace sluice::support {

enum class Certificate { kGood, kWrongName, kExpired, kSelfSigned, kUnknownCa };

struct SslContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContext = std::unique_ptr<SSL_CTX, SslContextFree>;

// The certificate of the authority that signs everything but kSelfSigned and kUnknownCa; one per process. PEM.
const std::string& test_ca_pem();

// For a server on 127.0.0.1 and localhost. `only_tls_1_1` offers nothing newer.
SslContext server_context(Certificate certificate, bool only_tls_1_1 = false);

}  // namespace sluice::support
