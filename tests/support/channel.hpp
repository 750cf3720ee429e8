#pragma once
// One end of a connection, plain or TLS, non-blocking.

#include <openssl/ssl.h>

#include <memory>
#include <string_view>

#include "support/socket.hpp"

namespace sluice::support {

class Channel {
 public:
  explicit Channel(Fd fd) : fd_(std::move(fd)) {}
  virtual ~Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  virtual Transfer read(char* into, std::size_t size) { return read_some(fd_.get(), into, size); }
  virtual Transfer write(std::string_view bytes) { return write_some(fd_.get(), bytes); }
  virtual bool ready() { return true; }  // false while a handshake is under way: call read()
  // What to poll for after a read or write that moved nothing; `otherwise` if it is up to the caller.
  virtual short wanted(short otherwise) const { return otherwise; }
  virtual void say_goodbye() {}  // TLS: close_notify
  virtual SSL* ssl() const { return nullptr; }
  void close() {
    say_goodbye();
    fd_.close();
  }
  void cut() { fd_.close(); }
  void reset();
  int fd() const { return fd_.get(); }

 protected:
  Fd fd_;
};

enum class TlsRole : std::uint8_t { kServer, kClient };
std::unique_ptr<Channel> tls_channel(Fd fd, SSL_CTX& context, TlsRole role = TlsRole::kServer);

}  // namespace sluice::support
