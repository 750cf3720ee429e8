#include "redis/connection.hpp"

#include <openssl/x509v3.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <utility>
#include <vector>

#include "redis/alarm.hpp"

namespace sluice::redis {
namespace {

using boost::system::error_code;
using Tcp = net::ip::tcp;
using Socket = net::basic_stream_socket<Tcp, Executor>;
constexpr auto kAwait = net::as_tuple(net::deferred);
constexpr std::size_t kKeptCapacity = 64 * 1024;  // of the buffer for what is sent, between two bursts

bool is_address(const std::string& host) {
  error_code no_address;
  net::ip::make_address(host, no_address);
  return !no_address;
}

}  // namespace

class TlsContext {
 public:
  explicit TlsContext(bool checks_names) : verify(checks_names) {}
  net::ssl::context context{net::ssl::context::tls_client};
  bool verify;
};

std::expected<std::shared_ptr<TlsContext>, std::string> make_tls(const Settings& settings) {
  if (!settings.tls) return nullptr;
  auto tls = std::make_shared<TlsContext>(settings.tls_verify);
  SSL_CTX_set_min_proto_version(tls->context.native_handle(), TLS1_2_VERSION);
  error_code failed;
  if (settings.ca_file.empty()) {
    tls->context.set_default_verify_paths(failed);
  } else {
    tls->context.load_verify_file(settings.ca_file, failed);
  }
  if (failed) return std::unexpected("cannot read CA file " + settings.ca_file + ": " + failed.message());
  tls->context.set_verify_mode(settings.tls_verify ? net::ssl::verify_peer : net::ssl::verify_none);
  return tls;
}

struct Connection::Sockets {
  explicit Sockets(net::io_context& io) : plain(io), resolver(io), timer(io) {}
  Socket plain;
  std::unique_ptr<net::ssl::stream<Socket&>> tls;
  net::ip::basic_resolver<Tcp, Executor> resolver;
  Timer timer;
};

Connection::Connection(net::io_context& io) : io_(io), sockets_(std::make_unique<Sockets>(io)) {}

Connection::~Connection() = default;

// What is awaited ends when its socket is closed; `timed_out_` tells that from a connection that was given up.
void Connection::time_out_at(TimePoint due) {
  timed_out_ = false;
  sockets_->timer.expires_at(due);
  sockets_->timer.async_wait([weak = weak_from_this()](const error_code& error) {
    const auto late = weak.lock();
    if (error || !late || late->closed_) return;
    error_code ignored;
    late->timed_out_ = true;
    late->sockets_->resolver.cancel();
    late->sockets_->plain.close(ignored);
  });
}

Trouble Connection::trouble(Failure failure, std::string why) const {
  if (timed_out_) return {Failure::kTimeout, "no connection within the time-out"};
  if (closed_) return {Failure::kClosed, "given up"};
  return {failure, std::move(why)};
}

Task<std::expected<void, Trouble>> Connection::open(Address address, std::shared_ptr<TlsContext> tls, TimePoint due) {
  const auto self = shared_from_this();
  time_out_at(due);
  auto done = co_await connect(address, due);
  if (done && tls) {
    time_out_at(due);
    done = co_await handshake(address.host, *tls);
  }
  sockets_->timer.cancel();
  // A time-out, or an end, that came when nothing was awaited.
  if (done && (closed_ || timed_out_)) done = std::unexpected(trouble(Failure::kClosed, ""));
  if (done) read_more();
  co_return done;
}

Task<std::expected<void, Trouble>> Connection::connect(const Address& address, TimePoint due) {
  std::vector<Tcp::endpoint> endpoints;
  if (is_address(address.host)) {
    endpoints.emplace_back(net::ip::make_address(address.host), address.port);
  } else {
    auto [error, found] = co_await sockets_->resolver.async_resolve(address.host, std::to_string(address.port), kAwait);
    if (error) co_return std::unexpected(trouble(Failure::kClosed, "cannot look up the name: " + error.message()));
    for (const auto& entry : found) endpoints.push_back(entry.endpoint());
  }
  co_return co_await connect_to_any(endpoints, due);
}

// In order, sharing the time among those that are left.
Task<std::expected<void, Trouble>> Connection::connect_to_any(std::span<const Tcp::endpoint> endpoints, TimePoint due) {
  error_code last = net::error::host_not_found;
  Socket& socket = sockets_->plain;
  for (std::size_t i = 0; i < endpoints.size() && !closed_; ++i) {
    const auto now = Clock::now();
    time_out_at(now + (due - now) / static_cast<int>(endpoints.size() - i));
    error_code ignored;
    socket.close(ignored);
    std::tie(last) = co_await socket.async_connect(endpoints[i], kAwait);
    if (!last) break;
  }
  if (closed_ || last) co_return std::unexpected(trouble(Failure::kClosed, last.message()));
  socket.non_blocking(true, last);
  socket.set_option(Tcp::no_delay(true), last);
  socket.set_option(net::socket_base::keep_alive(true), last);
  co_return std::expected<void, Trouble>{};
}

Task<std::expected<void, Trouble>> Connection::handshake(const std::string& host, TlsContext& tls) {
  sockets_->tls = std::make_unique<net::ssl::stream<Socket&>>(sockets_->plain, tls.context);
  SSL* ssl = sockets_->tls->native_handle();
  if (!is_address(host)) SSL_set_tlsext_host_name(ssl, host.c_str());  // RFC 6066: names only, no addresses
  if (tls.verify) {
    X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    const int set = is_address(host) ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str())
                                     : X509_VERIFY_PARAM_set1_host(wanted, host.data(), host.size());
    if (set != 1) co_return std::unexpected(trouble(Failure::kTls, "the host's name cannot be checked"));
  }
  auto [error] = co_await sockets_->tls->async_handshake(net::ssl::stream_base::client, kAwait);
  if (!error) co_return std::expected<void, Trouble>{};
  std::string why = error.message();
  if (const long verdict = SSL_get_verify_result(ssl); tls.verify && verdict != X509_V_OK)
    why.append(": ").append(X509_verify_cert_error_string(verdict));
  co_return std::unexpected(trouble(Failure::kTls, std::move(why)));
}

void Connection::send(std::string_view bytes, When when) {
  if (closed_) return;
  out_.append(bytes);
  if (when == When::kNow) return flush();
  if (std::exchange(flush_posted_, true)) return;
  net::post(io_, [self = shared_from_this()] {
    self->flush_posted_ = false;
    self->flush();
  });
}

Task<bool> Connection::send_first(const Secret& bytes) {
  const auto self = shared_from_this();
  const auto buffer = net::buffer(bytes.reveal());
  error_code error;
  sending_ = true;
  if (sockets_->tls) {
    std::tie(error, std::ignore) = co_await net::async_write(*sockets_->tls, buffer, kAwait);
  } else {
    std::tie(error, std::ignore) = co_await net::async_write(sockets_->plain, buffer, kAwait);
  }
  sending_ = false;
  flush();
  co_return !error && !closed_;
}

// What fits the socket's buffer goes at once. A write that fails is not told: the read ends as well, and tells it.
void Connection::flush() {
  if (closed_ || sending_ || out_.empty()) return;
  std::size_t sent = 0;
  if (!sockets_->tls) {
    error_code error;
    sent = sockets_->plain.write_some(net::buffer(out_), error);
    if (error && error != net::error::would_block) return;
  }
  if (sent < out_.size()) {
    rest_.assign(out_, sent);
    send_rest();
  }
  out_.clear();
  if (out_.capacity() > kKeptCapacity) out_.shrink_to_fit();
}

void Connection::send_rest() {
  sending_ = true;
  auto done = [self = shared_from_this()](const error_code& error, std::size_t) {
    self->sending_ = false;
    self->rest_.clear();
    if (!error) self->flush();
  };
  if (sockets_->tls) {
    net::async_write(*sockets_->tls, net::buffer(rest_), std::move(done));
  } else {
    net::async_write(sockets_->plain, net::buffer(rest_), std::move(done));
  }
}

void Connection::read_more() {
  auto done = [self = shared_from_this()](const error_code& error, std::size_t count) {
    if (self->closed_) return;
    if (error) return self->lost(error == net::error::eof ? "the server closed the connection" : error.message());
    self->received({self->in_.data(), count});
    if (!self->closed_) self->read_more();
  };
  if (sockets_->tls) {
    sockets_->tls->async_read_some(net::buffer(in_), std::move(done));
  } else {
    sockets_->plain.async_read_some(net::buffer(in_), std::move(done));
  }
}

void Connection::close() {
  if (std::exchange(closed_, true)) return;
  error_code ignored;
  sockets_->timer.cancel();
  sockets_->resolver.cancel();
  sockets_->plain.close(ignored);
}

}  // namespace sluice::redis
