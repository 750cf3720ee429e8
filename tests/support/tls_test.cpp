#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "support/scripted_upstream.hpp"

namespace sluice::support {
namespace {

struct Closer {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};

// What a careful client makes of the upstream: the verification error, or -1 when the handshake failed for another
// reason.
long verify(const ScriptedUpstream& upstream) {
  const SslContext context(SSL_CTX_new(TLS_client_method()));
  const std::unique_ptr<BIO, Closer> pem(BIO_new_mem_buf(test_ca_pem().data(), -1));
  const std::unique_ptr<X509, Closer> authority(PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr));
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), authority.get());
  const std::unique_ptr<SSL, Closer> ssl(SSL_new(context.get()));
  X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), "127.0.0.1");
  const Fd fd = connect_loopback(upstream.port());
  SSL_set_fd(ssl.get(), fd.get());
  SSL_set_connect_state(ssl.get());
  const auto deadline = Clock::now() + 5s;
  while (Clock::now() < deadline) {
    const int done = SSL_do_handshake(ssl.get());
    if (done == 1) break;
    const int error = SSL_get_error(ssl.get(), done);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return -1;
    wait_any({{fd.get(), 1}}, Clock::now() + 100ms);
  }
  return SSL_get_verify_result(ssl.get());
}

TEST(TestCertificates, AreGoodAndBadInTheWayTheyClaim) {
  const std::pair<Certificate, long> cases[] = {
      {Certificate::kGood, X509_V_OK},
      {Certificate::kWrongName, X509_V_ERR_IP_ADDRESS_MISMATCH},
      {Certificate::kExpired, X509_V_ERR_CERT_HAS_EXPIRED},
      {Certificate::kSelfSigned, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT},
      {Certificate::kUnknownCa, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
  };
  for (const auto& [certificate, expected] : cases) {
    const ScriptedUpstream upstream(UpstreamOptions{.tls = certificate});
    EXPECT_EQ(verify(upstream), expected) << static_cast<int>(certificate);
  }
}

TEST(TestCertificates, OldProtocolIsAllThatIsOffered) {
  const ScriptedUpstream upstream(UpstreamOptions{.tls = Certificate::kGood, .only_tls_1_1 = true});
  EXPECT_EQ(verify(upstream), -1);
}

}  // namespace
}  // namespace sluice::support
