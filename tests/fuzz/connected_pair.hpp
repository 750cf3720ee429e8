#pragma once
// Two ends of a connection in one process: ours as the socket the gateway works on, the stranger's as plain calls that
// never wait.

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <span>
#include <string>
#include <utility>

#include "fuzz/fuzz.hpp"
#include "http/transport.hpp"

namespace sluice::fuzz {

class ConnectedPair {
 public:
  ConnectedPair() {
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends_) == 0, "there is a socket left");
  }
  ~ConnectedPair() {
    for (const int end : ends_) {
      if (end >= 0) ::close(end);
    }
  }
  ConnectedPair(const ConnectedPair&) = delete;
  ConnectedPair& operator=(const ConnectedPair&) = delete;

  // Gives our end to `socket`, which need not know that no TCP is behind it.
  void give_to(http::TcpSocket& socket) {
    socket.assign(net::ip::tcp::v4(), std::exchange(ends_[0], -1));
    socket.non_blocking(true);
  }
  void send(std::span<const char> bytes) {
    // An end that has hung up takes nothing more.
    [[maybe_unused]] const auto sent = ::send(ends_[1], bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  void receive(std::string& into) {
    char buffer[4096];
    for (ssize_t count = 1; count > 0;) {
      count = ::recv(ends_[1], buffer, sizeof buffer, 0);
      if (count > 0) into.append(buffer, static_cast<std::size_t>(count));
    }
  }
  void end() { ::shutdown(ends_[1], SHUT_WR); }

 private:
  int ends_[2] = {-1, -1};
};

}  // namespace sluice::fuzz
