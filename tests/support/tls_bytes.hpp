#pragma once
// The client of a TLS connection as bytes: what it would send is taken out and what it receives is put in by hand, so a
// test can split, alter or withhold them.

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

namespace sluice::support {

class TlsBytes {
 public:
  explicit TlsBytes(SSL_CTX& context);

  bool handshake();  // one step; true once it is complete
  void put_in(std::string_view bytes);
  std::string take_out();
  void write(std::string_view text);
  std::string read();  // all that has been deciphered
  SSL* ssl() const { return ssl_.get(); }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  std::unique_ptr<SSL, Free> ssl_;
};

// The first bytes of a client that was set up so.
std::string client_hello(SSL_CTX& context);

}  // namespace sluice::support
