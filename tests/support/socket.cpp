#include "support/socket.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>

namespace sluice::support {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

int check(int result, const char* what) {
  if (result < 0) fail(what);
  return result;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

const sockaddr* generic(const sockaddr_in& address) { return std::bit_cast<const sockaddr*>(&address); }

void set_option(int fd, int level, int name, int value) {
  check(::setsockopt(fd, level, name, &value, sizeof value), "setsockopt");
}

Fd new_socket() { return Fd(check(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket")); }

Transfer failed_transfer() {
  if (errno == EAGAIN || errno == EINTR) return {};
  // EPIPE: the peer had sent FIN before it refused what we wrote.
  return {0, errno == EPIPE ? End::kFin : End::kReset};
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Fd::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

std::string_view to_string(End end) {
  switch (end) {
    case End::kFin:
      return "fin";
    case End::kReset:
      return "reset";
    case End::kOpen:
      break;
  }
  return "open";
}

Listener listen_loopback(int backlog) {
  Listener listener{new_socket(), 0};
  set_option(listener.fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  sockaddr_in address = loopback(0);
  check(::bind(listener.fd.get(), generic(address), sizeof address), "bind");
  check(::listen(listener.fd.get(), backlog), "listen");
  socklen_t size = sizeof address;
  check(::getsockname(listener.fd.get(), std::bit_cast<sockaddr*>(&address), &size), "getsockname");
  listener.port = ntohs(address.sin_port);
  return listener;
}

Fd accept_connection(int listener) {
  Fd fd(::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (fd.valid()) set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  return fd;
}

Fd connect_loopback(std::uint16_t port, int receive_buffer) {
  Fd fd = new_socket();
  if (receive_buffer > 0) set_option(fd.get(), SOL_SOCKET, SO_RCVBUF, receive_buffer);
  set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  const sockaddr_in address = loopback(port);
  if (::connect(fd.get(), generic(address), sizeof address) < 0 && errno != EINPROGRESS) fail("connect");
  wait_any({{fd.get(), POLLOUT}}, Clock::now() + 5s);
  int error = 0;
  socklen_t size = sizeof error;
  check(::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size), "getsockopt");
  if (error != 0) throw std::system_error(error, std::generic_category(), "connect");
  return fd;
}

Transfer read_some(int fd, char* into, std::size_t size) {
  const ssize_t got = ::recv(fd, into, size, 0);
  if (got < 0) return failed_transfer();
  if (got == 0) return {0, End::kFin};
  return {static_cast<std::size_t>(got), End::kOpen};
}

Transfer write_some(int fd, std::string_view bytes) {
  const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent < 0) return failed_transfer();
  return {static_cast<std::size_t>(sent), End::kOpen};
}

void shutdown_write(int fd) { ::shutdown(fd, SHUT_WR); }

void set_reset_on_close(int fd) {
  const linger now{1, 0};
  check(::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), "SO_LINGER");
}

std::size_t unacknowledged_bytes(int fd) {
  int bytes = 0;
  check(::ioctl(fd, SIOCOUTQ, &bytes), "SIOCOUTQ");
  return static_cast<std::size_t>(std::max(bytes, 0));
}

unsigned wait_any(std::initializer_list<Watch> watches, Clock::time_point deadline) {
  std::array<pollfd, 8> set{};
  nfds_t count = 0;
  for (const Watch& watch : watches) set.at(count++) = {watch.fd, watch.events, 0};
  const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
  ::poll(set.data(), count, static_cast<int>(std::clamp<long>(left, 0, 60'000)));
  unsigned ready = 0;
  for (nfds_t i = 0; i < count; ++i) {
    if (set.at(i).revents != 0) ready |= 1U << i;
  }
  return ready;
}

Gate::Gate() : fd_(check(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {}

void Gate::open() { check(::eventfd_write(fd_.get(), 1), "eventfd_write"); }

BlackholePort::BlackholePort() : listener_(listen_loopback(0)), filler_(connect_loopback(listener_.port)) {}

std::size_t connecting_to(std::uint16_t port) {
  std::ifstream table("/proc/net/tcp");
  std::size_t count = 0;
  for (std::string line; std::getline(table, line);) {
    std::istringstream fields(line);
    std::string slot, local, remote, state;
    fields >> slot >> local >> remote >> state;
    const auto colon = remote.find(':');
    if (colon == std::string::npos || state != "02") continue;
    if (std::stoul(remote.substr(colon + 1), nullptr, 16) == port) ++count;
  }
  return count;
}

std::uint16_t refused_port() { return listen_loopback().port; }

}  // namespace sluice::support
