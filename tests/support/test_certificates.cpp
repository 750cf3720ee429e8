#include "support/test_certificates.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace sluice::support {
namespace {

constexpr long kDay = 24L * 60 * 60;

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using X509Certificate = std::unique_ptr<X509, Free>;

template <class T>
T* need(T* made) {
  if (made == nullptr) throw std::runtime_error("openssl could not make a test certificate");
  return made;
}
void need(int done) {
  if (done <= 0) throw std::runtime_error("openssl could not make a test certificate");
}

struct Authority {
  Key key;
  X509Certificate certificate;
};

struct Wanted {
  const char* name;
  const char* alternative_names;  // nullptr: an authority
  long valid_from, valid_until;   // seconds from now
  const Authority* signer;        // nullptr: itself
};

void add_extension(X509* certificate, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Free> extension(need(X509V3_EXT_conf_nid(nullptr, &context, kind, value)));
  need(X509_add_ext(certificate, extension.get(), -1));
}

Authority make(const Wanted& wanted) {
  static long serial = 1;
  Key key(need(EVP_EC_gen("P-256")));
  X509Certificate certificate(need(X509_new()));
  X509* x509 = certificate.get();
  need(X509_set_version(x509, X509_VERSION_3));
  need(ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++));
  need(X509_gmtime_adj(X509_getm_notBefore(x509), wanted.valid_from));
  need(X509_gmtime_adj(X509_getm_notAfter(x509), wanted.valid_until));
  need(X509_set_pubkey(x509, key.get()));
  const std::string name(wanted.name);
  need(X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                                  reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0));
  X509* issuer = wanted.signer != nullptr ? wanted.signer->certificate.get() : x509;
  need(X509_set_issuer_name(x509, X509_get_subject_name(issuer)));
  if (wanted.alternative_names != nullptr) {
    add_extension(x509, NID_subject_alt_name, wanted.alternative_names);
  } else {
    add_extension(x509, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(x509, NID_key_usage, "critical,keyCertSign,cRLSign");
  }
  need(X509_sign(x509, wanted.signer != nullptr ? wanted.signer->key.get() : key.get(), EVP_sha256()));
  return {std::move(key), std::move(certificate)};
}

const Authority& authority() {
  static const Authority kAuthority = make({"Sluice test CA", nullptr, -kDay, 10 * kDay, nullptr});
  return kAuthority;
}
const Authority& unknown_authority() {
  static const Authority kAuthority = make({"Nobody's CA", nullptr, -kDay, 10 * kDay, nullptr});
  return kAuthority;
}

Authority identity_of(Certificate certificate) {
  static constexpr const char* kHere = "DNS:localhost,IP:127.0.0.1";
  switch (certificate) {
    case Certificate::kWrongName:
      return make({"elsewhere.invalid", "DNS:elsewhere.invalid", -kDay, kDay, &authority()});
    case Certificate::kExpired:
      return make({"localhost", kHere, -2 * kDay, -kDay, &authority()});
    case Certificate::kSelfSigned:
      return make({"localhost", kHere, -kDay, kDay, nullptr});
    case Certificate::kUnknownCa:
      return make({"localhost", kHere, -kDay, kDay, &unknown_authority()});
    case Certificate::kGood:
      break;
  }
  return make({"localhost", kHere, -kDay, kDay, &authority()});
}

std::string text_of(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string pem_of(X509& certificate) {
  const std::unique_ptr<BIO, Free> memory(need(BIO_new(BIO_s_mem())));
  need(PEM_write_bio_X509(memory.get(), &certificate));
  return text_of(memory.get());
}

std::string pem_of(EVP_PKEY& key) {
  const std::unique_ptr<BIO, Free> memory(need(BIO_new(BIO_s_mem())));
  need(PEM_write_bio_PrivateKey(memory.get(), &key, nullptr, nullptr, 0, nullptr, nullptr));
  return text_of(memory.get());
}

void show(SSL_CTX* context, const Authority& identity) {
  need(SSL_CTX_use_certificate(context, identity.certificate.get()));
  need(SSL_CTX_use_PrivateKey(context, identity.key.get()));
}

}  // namespace

const std::string& test_ca_pem() {
  static const std::string kPem = pem_of(*authority().certificate);
  return kPem;
}

PemIdentity make_identity(Certificate certificate) {
  const Authority made = identity_of(certificate);
  return {pem_of(*made.certificate), pem_of(*made.key)};
}

SslContext server_context(Certificate certificate, bool only_tls_1_1) {
  SslContext context(need(SSL_CTX_new(TLS_server_method())));
  show(context.get(), identity_of(certificate));
  if (only_tls_1_1) {
    need(SSL_CTX_set_cipher_list(context.get(), "DEFAULT:@SECLEVEL=0"));
    need(static_cast<int>(SSL_CTX_set_min_proto_version(context.get(), TLS1_1_VERSION)));
    need(static_cast<int>(SSL_CTX_set_max_proto_version(context.get(), TLS1_1_VERSION)));
  }
  return context;
}

SslContext client_context(std::optional<Certificate> certificate) {
  SslContext context(need(SSL_CTX_new(TLS_client_method())));
  need(X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), authority().certificate.get()));
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (certificate) show(context.get(), identity_of(*certificate));
  return context;
}

}  // namespace sluice::support
