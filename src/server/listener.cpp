#include "server/listener.hpp"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>

#include "server/client_sink.hpp"
#include "server/serve.hpp"
#include "sluice/api/errors.hpp"
#include "sluice/core/ids.hpp"
#include "sluice/core/reserve.hpp"

namespace sluice::server {
namespace {

constexpr auto kAwait = net::as_tuple(net::deferred);
constexpr auto kAcceptPause = milliseconds(50);  // when accepting fails, out of descriptors for instance
constexpr int kBacklog = 4096;
constexpr int kAcceptedAtOnce = 16;         // then others have their turn
constexpr int kUnsentLowWater = 64 * 1024;  // what the kernel may hold unsent for a slow reader

// True while it lives.
class During {
 public:
  explicit During(bool& flag) : flag_(flag) { flag_ = true; }
  ~During() { flag_ = false; }
  During(const During&) = delete;
  During& operator=(const During&) = delete;

 private:
  bool& flag_;
};

// Clients that are being told to come back: so many at once, each for so long. Then the rest wait to be accepted.
constexpr std::size_t kRefusedAtOnce = 16;
constexpr auto kRefusalTime = milliseconds(500);
constexpr std::size_t kRefusalBytes = 64 * 1024;  // read and dropped, lest a reset overtakes the answer

}  // namespace

std::expected<Acceptor, std::string> open_listener(net::io_context& io, const config::Address& address) {
  boost::system::error_code failed;
  const std::string name = address.host == "localhost" ? "127.0.0.1" : address.host;
  const auto where = address.host + ":" + std::to_string(address.port);
  const auto ip = net::ip::make_address(name, failed);
  if (failed) return std::unexpected(where + ": not an address");
  const net::ip::tcp::endpoint endpoint(ip, address.port);
  Acceptor acceptor(io.get_executor());
  const int on = 1;
  acceptor.open(endpoint.protocol(), failed);
  if (!failed) acceptor.set_option(net::socket_base::reuse_address(true), failed);
  if (!failed && ::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
    failed.assign(errno, boost::system::system_category());
  }
  if (!failed) acceptor.bind(endpoint, failed);
  if (!failed) acceptor.listen(kBacklog, failed);
  if (!failed) acceptor.non_blocking(true, failed);
  if (failed) return std::unexpected("cannot listen on " + where + ": " + failed.message());
  return acceptor;
}

ConnectionSlots::Slot ConnectionSlots::take() {
  Slot slot(*this);
  if (++taken_ > most_) return {};  // `slot` gives its place back
  return slot;
}

IpAddress address_of(const http::TcpEndpoint& peer) {
  const auto address = peer.address();
  const auto bytes = address.is_v6() ? address.to_v6().to_bytes()
                                     : net::ip::make_address_v6(net::ip::v4_mapped, address.to_v4()).to_bytes();
  IpAddress made;
  std::ranges::copy(bytes, made.bytes.begin());
  return made;
}

void ReserveDescriptor::take() {
  if (held_ < 0) held_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void ReserveDescriptor::release() {
  if (held_ >= 0) ::close(std::exchange(held_, -1));
}

Listener::Listener(Acceptor acceptor, Place place, Accepted accepted)
    : acceptor_(std::move(acceptor)),
      place_(std::move(place)),
      accepted_(std::move(accepted)),
      pause_(acceptor_.get_executor()) {}

void Listener::start() {
  if (running_ || !acceptor_.is_open()) return;
  net::co_spawn(
      acceptor_.get_executor(),
      [](std::shared_ptr<Listener> self) -> Task<void> {
        const During during(self->running_);
        co_await self->run();
      }(shared_from_this()),
      net::detached);
}

void Listener::close() {
  take_waiting();
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

void Listener::take_waiting() {
  boost::system::error_code error;
  for (int i = 0; i < kBacklog && acceptor_.is_open() && !error; ++i) {
    http::TcpSocket socket(acceptor_.get_executor());
    acceptor_.accept(socket, peer_, error);
    if (!error) admit(std::move(socket));
    if (error == net::error::connection_aborted) error.clear();
  }
}

Task<void> Listener::run() {
  while (acceptor_.is_open()) {
    if (refusing_ >= kRefusedAtOnce) {
      co_await pause(kRefusalTime);  // the end of a refusal cuts it short
      continue;
    }
    reserve_operation();
    auto [error] = co_await acceptor_.async_wait(Acceptor::wait_read, kAwait);
    if (error) co_return;
    co_await accept_some();
  }
}

// Not async_accept(): it would take a connection and then find no memory to hand it over.
Task<void> Listener::accept_some() {
  for (int i = 0; i < kAcceptedAtOnce && acceptor_.is_open() && refusing_ < kRefusedAtOnce; ++i) {
    reserve_.take();
    boost::system::error_code error;
    http::TcpSocket socket(acceptor_.get_executor());
    acceptor_.accept(socket, peer_, error);
    if (error == net::error::would_block) co_return;
    if (!error) {
      admit(std::move(socket));
    } else if (error == net::error::no_descriptors || error.value() == ENFILE) {
      co_await out_of_descriptors();
    } else if (error != net::error::connection_aborted) {
      co_await pause(kAcceptPause);
    }
  }
}

Task<void> Listener::pause(milliseconds time) {
  reserve_operation();
  pause_.expires_after(time);
  co_await pause_.async_wait(kAwait);
}

// The one who waits is told with the descriptor kept back for it, and accepting rests until some may be free again.
Task<void> Listener::out_of_descriptors() {
  reserve_.release();
  boost::system::error_code error;
  http::TcpSocket socket(acceptor_.get_executor());
  acceptor_.accept(socket, peer_, error);
  if (!error && place_.essential) co_return admit(std::move(socket));  // the next accept takes the reserve again
  if (!error) {
    place_.metrics.count_shed(observe::Shed::kDescriptors);
    co_await refuse(std::move(socket));
  }
  reserve_.take();
  if (error) co_await pause(kAcceptPause);
}

void Listener::admit(http::TcpSocket socket) {
  auto slot = place_.slots.take();
  try {
    if (!slot) return start_refusal(std::move(socket), observe::Shed::kConnections);
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentLowWater, sizeof kUnsentLowWater);
    accepted_(std::move(socket), address_of(peer_), std::move(slot));
  } catch (const std::exception&) {
    place_.metrics.count_shed(observe::Shed::kMemory);  // out of memory: this connection only
  }
}

// One who is being refused counts until that is over, whichever way.
class Listener::Refusing {
 public:
  explicit Refusing(std::shared_ptr<Listener> listener) : listener_(std::move(listener)) { ++listener_->refusing_; }
  Refusing(Refusing&&) = default;
  Refusing& operator=(Refusing&&) = delete;
  ~Refusing() {
    if (!listener_) return;
    --listener_->refusing_;
    listener_->pause_.cancel();
  }
  Listener& listener() const { return *listener_; }

 private:
  std::shared_ptr<Listener> listener_;
};

void Listener::start_refusal(http::TcpSocket socket, observe::Shed reason) {
  place_.metrics.count_shed(reason);
  net::co_spawn(
      acceptor_.get_executor(),
      [](Refusing refusing, http::TcpSocket refused) -> Task<void> {
        co_await refusing.listener().refuse(std::move(refused));
      }(Refusing(shared_from_this()), std::move(socket)),
      net::detached);
}

// What the client wants is not looked at, but read: closing on unread bytes would be a reset that overtakes the answer.
Task<void> Listener::refuse(http::TcpSocket socket) {
  const auto due = Clock::now() + kRefusalTime;
  http::Transport transport(std::move(socket), place_.timers);
  const auto tls = place_.tls();
  if (tls && !co_await transport.accept_tls(*tls, due)) co_return;
  std::array<char, 4096> dropped;
  auto read = co_await transport.read_some(dropped, due);
  const std::function<bool()> last = [] { return true; };
  const Error error = overloaded("connections").error();
  ClientSink sink(transport, last);
  http::RequestHead none;
  sink.begin(none, new_request_id(), kRefusalTime);
  co_await sink.respond(error_start(error), api::error_body(error, Dialect::kOpenai, {}));
  transport.shutdown_send();
  for (std::size_t total = 0; read && total < kRefusalBytes; total += read.value_or(0)) {
    read = co_await transport.read_some(dropped, due);
  }
}

}  // namespace sluice::server
