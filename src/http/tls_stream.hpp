#pragma once
// TLS over a non-blocking socket, without waiting: each call does what can be done now and says what it waits for. A
// read and a write may both be unfinished. A connection at rest holds no buffers. Belongs to one thread.

#include <openssl/ssl.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/io_result.hpp"

namespace sluice::http {

// What a call came to. `wait` is kNothing when it is done, else call again once the socket is ready for that.
struct TlsStep {
  enum class Wait : std::uint8_t { kNothing, kReadable, kWritable };
  std::size_t bytes = 0;
  Wait wait = Wait::kNothing;
};

class TlsStream {
 public:
  enum class Side : std::uint8_t { kClient, kServer };
  // The socket is not owned.
  TlsStream(const TlsContext& context, Side side, int socket);
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  // Client, before the handshake: asks for that name, and wants the certificate to bear it if the context verifies.
  // False: it cannot be checked.
  bool expect_host(const std::string& host);

  IoResult<TlsStep> handshake();
  // At least one byte, when done. kEof: the peer has said that it is at its end; kReset: it left without.
  IoResult<TlsStep> read(std::span<char> into);
  // Some of `buffers`, and not everything at once: others are waiting too. Until a call that wants to wait is repeated
  // with the same bytes, nothing else can be written.
  IoResult<TlsStep> write(std::span<const boost::asio::const_buffer> buffers);
  bool half_written() const { return half_written_; }

  bool has_unread() const { return SSL_has_pending(ssl_.get()) == 1; }
  void say_goodbye();                   // close_notify, if it can be sent at once
  void detach() { wire_.socket = -1; }  // the socket is gone

 private:
  // What OpenSSL reads from and writes to, and what came of it.
  struct Wire {
    int socket = -1;
    int error = 0;
    bool ended = false;
    std::size_t budget = 0;  // bytes that may still be read in this call
    std::array<char, 8> first{};
    std::size_t first_size = 0;
  };
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  static const BIO_METHOD* wire_method();
  static int wire_read(BIO* bio, char* into, int size);
  static int wire_write(BIO* bio, const char* bytes, int size);
  static long wire_control(BIO* bio, int command, long, void*);

  void begin();
  IoResult<TlsStep> unfinished(int result, std::size_t bytes) const;
  IoError failure(int error) const;

  Wire wire_;
  std::unique_ptr<SSL, Free> ssl_;
  bool verify_;
  bool half_written_ = false;
  std::optional<IoError> read_end_;
};

}  // namespace sluice::http
