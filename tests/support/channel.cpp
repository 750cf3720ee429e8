#include "support/channel.hpp"

#include <openssl/err.h>
#include <poll.h>

#include <algorithm>
#include <csignal>
#include <limits>

namespace sluice::support {
namespace {

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

class TlsChannel final : public Channel {
 public:
  TlsChannel(Fd fd, SSL_CTX& context, TlsRole role) : Channel(std::move(fd)), ssl_(SSL_new(&context)) {
    SSL_set_fd(ssl_.get(), fd_.get());
    role == TlsRole::kServer ? SSL_set_accept_state(ssl_.get()) : SSL_set_connect_state(ssl_.get());
    SSL_set_mode(ssl_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  }

  bool ready() override { return SSL_is_init_finished(ssl_.get()) != 0; }

  Transfer read(char* into, std::size_t size) override {
    ERR_clear_error();
    return result(SSL_read(ssl_.get(), into, clamp(size)));
  }
  Transfer write(std::string_view bytes) override {
    ERR_clear_error();
    return result(SSL_write(ssl_.get(), bytes.data(), clamp(bytes.size())));
  }
  short wanted(short otherwise) const override {
    const int want = SSL_want(ssl_.get());
    return want == SSL_READING ? POLLIN : want == SSL_WRITING ? POLLOUT : otherwise;
  }
  void say_goodbye() override {
    if (fd_.valid() && ready()) SSL_shutdown(ssl_.get());
  }
  SSL* ssl() const override { return ssl_.get(); }

 private:
  static int clamp(std::size_t size) {
    return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
  }
  Transfer result(int done) {
    if (done > 0) return {static_cast<std::size_t>(done), End::kOpen};
    switch (SSL_get_error(ssl_.get(), done)) {
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE:
        return {};
      case SSL_ERROR_ZERO_RETURN:
        return {0, End::kFin};
      default:  // an alert or a lost connection: the socket knows which
        return {0, peer_closed() ? End::kFin : End::kReset};
    }
  }
  bool peer_closed() {
    char byte = 0;
    return read_some(fd_.get(), &byte, 1).end == End::kFin;
  }

  std::unique_ptr<SSL, SslFree> ssl_;
};

}  // namespace

void Channel::reset() {
  set_reset_on_close(fd_.get());
  fd_.close();
}

std::unique_ptr<Channel> tls_channel(Fd fd, SSL_CTX& context, TlsRole role) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  return std::make_unique<TlsChannel>(std::move(fd), context, role);
}

}  // namespace sluice::support
