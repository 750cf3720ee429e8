#include "net.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace sluice::bench {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

sockaddr* generic(sockaddr_in& address) { return std::bit_cast<sockaddr*>(&address); }

Fd tcp_socket(int flags) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  if (fd.get() < 0) die("socket");
  const int on = 1;
  if (::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) die("TCP_NODELAY");
  return fd;
}

}  // namespace

void die(std::string_view what) {
  std::fprintf(stderr, "%.*s: %s\n", static_cast<int>(what.size()), what.data(), std::strerror(errno));
  std::exit(1);
}

void Fd::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Fd listen_on(std::uint16_t port) {
  Fd fd = tcp_socket(SOCK_NONBLOCK);
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address = loopback(port);
  if (::bind(fd.get(), generic(address), sizeof address) != 0) die("bind");
  if (::listen(fd.get(), 4096) != 0) die("listen");
  return fd;
}

std::uint16_t port_of(const Fd& listener) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(listener.get(), generic(address), &size) != 0) die("getsockname");
  return ntohs(address.sin_port);
}

Fd connect_to(std::uint16_t port) {
  // Blocking: on loopback the kernel of the same machine answers, whether or not the listener is awake.
  Fd fd = tcp_socket(0);
  sockaddr_in address = loopback(port);
  if (::connect(fd.get(), generic(address), sizeof address) != 0) die("connect");
  const int on = 1;
  if (::ioctl(fd.get(), FIONBIO, &on) != 0) die("FIONBIO");
  return fd;
}

Loop::Loop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_.get() < 0) die("epoll_create1");
  // The default lets a timer be 50 µs late, which is more than what is measured here.
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

void Loop::add(int fd, std::uint32_t events, Handler& handler) {
  epoll_event event{.events = events, .data = {.ptr = &handler}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl add");
}

void Loop::change(int fd, std::uint32_t events, Handler& handler) {
  epoll_event event{.events = events, .data = {.ptr = &handler}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) != 0) die("epoll_ctl mod");
}

void Loop::poll(Time until) {
  using namespace std::chrono;
  const nanoseconds wait = std::max(nanoseconds{0}, nanoseconds{until - Clock::now()});
  const timespec timeout{.tv_sec = duration_cast<seconds>(wait).count(), .tv_nsec = (wait % seconds{1}).count()};
  std::array<epoll_event, 256> ready;
  const int count = ::epoll_pwait2(epoll_.get(), ready.data(), static_cast<int>(ready.size()), &timeout, nullptr);
  if (count < 0 && errno != EINTR) die("epoll_pwait2");
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = ready[static_cast<std::size_t>(i)];
    static_cast<Handler*>(event.data.ptr)->on_ready(event.events);
  }
}

}  // namespace sluice::bench
