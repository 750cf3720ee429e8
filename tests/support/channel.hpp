#pragma once
// The server's end of a connection, plain or TLS, non-blocking.

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
  virtual void close() { fd_.close(); }
  void reset();
  int fd() const { return fd_.get(); }

 protected:
  Fd fd_;
};

std::unique_ptr<Channel> tls_channel(Fd fd, SSL_CTX& context);

}  // namespace sluice::support
