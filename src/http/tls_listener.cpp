// The TLS context of a listener: files, and what is agreed on with clients.

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <ctime>
#include <string_view>

#include "http/tls_fault.hpp"
#include "sluice/http/tls.hpp"

namespace sluice::http {
namespace {

using File = ListenerTlsError::File;

// Forward secrecy and authenticated encryption only. TLS 1.3 has nothing else.
constexpr const char* kCiphers12 = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr std::string_view kSessionContext = "sluice";
constexpr long kTicketSeconds = 60L * 60;  // how long a session may be resumed, at most: a reload ends it too

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

std::unexpected<ListenerTlsError> problem(File file, std::string message) {
  return std::unexpected(ListenerTlsError{file, std::move(message)});
}

// Without it OpenSSL would ask the terminal.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

// RFC 7301. A client that names no protocol gets HTTP/1.1 as well.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void*) {
  constexpr std::string_view kOurs = "http/1.1";
  for (unsigned at = 0; at < offered_size; at += 1U + offered[at]) {
    const std::string_view name(reinterpret_cast<const char*>(offered) + at + 1, offered[at]);
    if (name != kOurs) continue;
    *chosen = offered + at + 1;
    *size = offered[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::expected<void, ListenerTlsError> load_key(SSL_CTX* native, const std::string& file) {
  const std::unique_ptr<BIO, FreeBio> in(BIO_new_file(file.c_str(), "r"));
  if (!in) return problem(File::kKey, "cannot be read: " + last_openssl_error());
  bool encrypted = false;
  const std::unique_ptr<EVP_PKEY, FreeKey> key(PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, &encrypted));
  if (encrypted) return problem(File::kKey, "is encrypted; expected a key without a passphrase");
  if (!key) return problem(File::kKey, "holds no private key in PEM form");
  if (X509_check_private_key(SSL_CTX_get0_certificate(native), key.get()) != 1) {
    return problem(File::kKey, "does not belong to the certificate");
  }
  if (SSL_CTX_use_PrivateKey(native, key.get()) != 1) return problem(File::kKey, last_openssl_error());
  return {};
}

std::expected<void, ListenerTlsError> load_client_ca(SSL_CTX* native, const ListenerTls& files) {
  if (files.client_ca.empty()) return {};
  auto* names = SSL_load_client_CA_file(files.client_ca.c_str());
  if (names == nullptr || SSL_CTX_load_verify_file(native, files.client_ca.c_str()) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return problem(File::kClientCa, "holds no certificate in PEM form");
  }
  SSL_CTX_set_client_CA_list(native, names);
  SSL_CTX_set_verify(native, SSL_VERIFY_PEER | (files.client_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  return {};
}

TlsContext::Time time_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? std::chrono::system_clock::from_time_t(::timegm(&parts))
                                            : TlsContext::Time{};
}

}  // namespace

std::expected<std::shared_ptr<const TlsContext>, ListenerTlsError> TlsContext::create_listener(
    const ListenerTls& files) {
  ERR_clear_error();
  std::shared_ptr<TlsContext> made(new TlsContext(SSL_CTX_new(TLS_server_method()), !files.client_ca.empty()));
  SSL_CTX* native = made->native();
  SSL_CTX_set_options(native, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_cipher_list(native, kCiphers12);
  SSL_CTX_set_alpn_select_cb(native, choose_protocol, nullptr);
  // Sessions live in tickets that clients keep; the key that opens them dies with this context.
  SSL_CTX_set_timeout(native, kTicketSeconds);
  SSL_CTX_set_num_tickets(native, 1);
  SSL_CTX_set_session_id_context(native, reinterpret_cast<const unsigned char*>(kSessionContext.data()),
                                 kSessionContext.size());
  if (SSL_CTX_use_certificate_chain_file(native, files.certificate.c_str()) != 1) {
    return problem(File::kCertificate, "holds no usable certificate in PEM form: " + last_openssl_error());
  }
  const X509* own = SSL_CTX_get0_certificate(native);
  made->valid_from_ = time_of(X509_get0_notBefore(own));
  made->valid_until_ = time_of(X509_get0_notAfter(own));
  if (auto key = load_key(native, files.key); !key) return std::unexpected(key.error());
  if (auto ca = load_client_ca(native, files); !ca) return std::unexpected(ca.error());
  return made;
}

}  // namespace sluice::http
