#pragma once
// A server on 127.0.0.1 that does what a test tells it, connection by connection, and the loop a client runs on.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "sluice/core/timer_wheel.hpp"
#include "unit/fakes.hpp"

namespace sluice::http::testing {

// How long anything here waits for what must come: a loaded machine may stand still for seconds.
inline constexpr std::chrono::seconds kPatience{30};

// One accepted connection, with blocking calls that end after kPatience at the latest.
class Peer {
 public:
  explicit Peer(int socket) : socket_(socket) {
    const timeval limit{.tv_sec = kPatience.count(), .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  ~Peer() { close(); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // A head and what came with it; empty when the client has closed or is silent.
  std::string read_head() {
    std::string got;
    char c = 0;
    while (!got.ends_with("\r\n\r\n")) {
      if (::recv(socket_, &c, 1, 0) != 1) return {};
      got += c;
    }
    return got;
  }
  std::string read_bytes(std::size_t count) {
    std::string got(count, '\0');
    const auto size = ::recv(socket_, got.data(), count, MSG_WAITALL);
    got.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return got;
  }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // Whether the client's end came, by FIN or RST; what it sends before is thrown away.
  bool wait_end() {
    char sink[4096];
    for (;;) {
      const auto got = ::recv(socket_, sink, sizeof sink, 0);
      if (got == 0) return true;
      if (got < 0) return errno != EAGAIN && errno != EWOULDBLOCK;
    }
  }
  void reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

 private:
  int socket_;
};

// Calls `serve` once per connection, each in a thread of its own; `number` counts them from 0.
class Server {
 public:
  using Serve = std::function<void(Peer& peer, int number)>;
  // On 127.0.0.1 and a port that the system chooses, if not told otherwise.
  explicit Server(Serve serve, in_addr_t host = INADDR_LOOPBACK, std::uint16_t port = 0) : serve_(std::move(serve)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(host);
    address.sin_port = htons(port);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_, generic, size), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    ::getsockname(listener_, generic, &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~Server() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (auto& one : serving_) one.join();
    ::close(listener_);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }

 private:
  void accept_all() {
    for (;;) {
      const int socket = ::accept(listener_, nullptr, nullptr);
      if (socket < 0) return;
      serving_.emplace_back([this, socket, number = connections_++] {
        Peer peer(socket);
        serve_(peer, number);
      });
    }
  }

  Serve serve_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::vector<std::thread> serving_;  // touched by the acceptor, and after it has ended
  std::thread acceptor_;
};

// A port nobody listens on.
inline std::uint16_t dead_port() {
  Server short_lived([](Peer&, int) {});
  return short_lived.port();
}

// A worker's loop with its timers and a client on it.
class ClientLoop {
 public:
  explicit ClientLoop(ClientLimits limits = {}, LookUp look_up = system_look_up)
      : client(make_client(io, wheel, limits, std::move(look_up))) {}
  ~ClientLoop() {
    while (has_look_ups_in_flight()) io.run_for(milliseconds(1));
    client.reset();
  }

  template <class T>
  T run(Task<T> task) {
    return *fakes::run_on(io, std::move(task));
  }
  // Until no name is being looked up and what was found has been learnt.
  bool settle_look_ups() {
    const bool settled = run_until([] { return !has_look_ups_in_flight(); });
    io.restart();
    io.poll();
    return settled;
  }
  // Runs until `condition` holds; false if it did not within kPatience.
  bool run_until(const std::function<bool()>& condition) {
    for (const auto stop = Clock::now() + kPatience; !condition();) {
      if (Clock::now() > stop) return false;
      io.restart();
      io.run_for(milliseconds(2));
    }
    return true;
  }

  // Before the loop, which may hold the last of the connections whose timers hang in it.
  TimerWheel wheel{Clock::now(), [this](TimePoint when) { wake(when); }};
  net::io_context io;
  std::unique_ptr<Client> client;

 private:
  using Timer = net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor>;
  void wake(TimePoint when) {
    if (when == kNever) return;
    timer_.expires_at(when);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) wake(wheel.run(Clock::now()));
    });
  }
  Timer timer_{io};
};

}  // namespace sluice::http::testing
