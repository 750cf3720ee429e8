#pragma once
// Loopback sockets and the epoll loop that the fake upstream and the load driver share. One thread; a system call that
// cannot fail in a sound setup ends the program with a message when it does.

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

namespace sluice::bench {

using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC: the same reading in every process of the machine
using Time = Clock::time_point;

// Says what failed, with errno, on stderr and ends the program with status 1.
[[noreturn]] void die(std::string_view what);

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { close(); }
  int get() const { return fd_; }
  void close();

 private:
  int fd_ = -1;
};

// All sockets are non-blocking, on 127.0.0.1 and without Nagle's delay.
Fd listen_on(std::uint16_t port);  // 0: the system chooses
std::uint16_t port_of(const Fd& listener);
Fd connect_to(std::uint16_t port);

class Handler {
 public:
  Handler() = default;
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;
  virtual ~Handler() = default;
  // May destroy itself, and no other handler.
  virtual void on_ready(std::uint32_t events) = 0;
};

class Loop {
 public:
  Loop();
  void add(int fd, std::uint32_t events, Handler& handler);
  void change(int fd, std::uint32_t events, Handler& handler);
  // Waits until something is ready, but not beyond `until`, then calls the handlers that are.
  void poll(Time until);
  std::array<char, 65536>& scratch() { return scratch_; }

 private:
  Fd epoll_;
  std::array<char, 65536> scratch_{};
};

}  // namespace sluice::bench
