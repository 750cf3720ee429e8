#include "sluice/http/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <new>

#include "http/tls_fault.hpp"

namespace sluice::http {

void TlsContext::Free::operator()(ssl_ctx_st* native) const { SSL_CTX_free(native); }

TlsContext::TlsContext(ssl_ctx_st* native, bool verify) : native_(native), verify_(verify) {
  if (native == nullptr) throw std::bad_alloc();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // A connection that waits holds no buffers; a read takes all that the socket has; a write may end between records.
  SSL_CTX_set_mode(native,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(native, 1);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
}

std::expected<std::shared_ptr<const TlsContext>, std::string> TlsContext::create(const std::string& ca_file,
                                                                                 bool verify) {
  ERR_clear_error();
  std::shared_ptr<TlsContext> made(new TlsContext(SSL_CTX_new(TLS_client_method()), verify));
  SSL_CTX* native = made->native();
  const int loaded =
      ca_file.empty() ? SSL_CTX_set_default_verify_paths(native) : SSL_CTX_load_verify_file(native, ca_file.c_str());
  if (loaded != 1) return std::unexpected("cannot read CA certificates: " + last_openssl_error());
  SSL_CTX_set_verify(native, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  return made;
}

}  // namespace sluice::http
