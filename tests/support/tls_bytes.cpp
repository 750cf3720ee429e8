#include "support/tls_bytes.hpp"

#include <openssl/err.h>

#include <array>

namespace sluice::support {

TlsBytes::TlsBytes(SSL_CTX& context) : ssl_(SSL_new(&context)) {
  SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(ssl_.get());
}

bool TlsBytes::handshake() {
  ERR_clear_error();
  return SSL_do_handshake(ssl_.get()) == 1;
}

void TlsBytes::put_in(std::string_view bytes) {
  BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
}

std::string TlsBytes::take_out() {
  char* data = nullptr;
  BIO* out = SSL_get_wbio(ssl_.get());
  const long size = BIO_get_mem_data(out, &data);
  std::string bytes(data, static_cast<std::size_t>(size));
  BIO_reset(out);
  return bytes;
}

void TlsBytes::write(std::string_view text) {
  ERR_clear_error();
  SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
}

std::string TlsBytes::read() {
  ERR_clear_error();
  std::string text;
  std::array<char, 16384> piece;
  for (int got = 0; (got = SSL_read(ssl_.get(), piece.data(), piece.size())) > 0;) {
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  return text;
}

std::string client_hello(SSL_CTX& context) {
  TlsBytes client(context);
  client.handshake();
  return client.take_out();
}

}  // namespace sluice::support
