#pragma once
// Loopback TCP with bounded waits, for tests. Every socket is non-blocking; a system call that cannot fail in a sane
// environment throws std::system_error.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::support {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { close(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  void close();

 private:
  int fd_ = -1;
};

// How the far side of a connection ended it, as seen here.
enum class End : std::uint8_t { kOpen, kFin, kReset };
std::string_view to_string(End end);

struct Listener {
  Fd fd;
  std::uint16_t port = 0;
};
Listener listen_loopback(int backlog = 128);
Fd accept_connection(int listener);  // invalid when nobody waits

// Connected, or throws. `receive_buffer` in bytes; 0 leaves the system's choice.
Fd connect_loopback(std::uint16_t port, int receive_buffer = 0);

// What one read or write attempt gave.
struct Transfer {
  std::size_t bytes = 0;
  End end = End::kOpen;
};
Transfer read_some(int fd, char* into, std::size_t size);
Transfer write_some(int fd, std::string_view bytes);

void shutdown_write(int fd);
void set_reset_on_close(int fd);
std::size_t unacknowledged_bytes(int fd);

// Waits until one of the descriptors is ready or the deadline has passed. Returns a bit per ready entry.
struct Watch {
  int fd;
  short events;
};
unsigned wait_any(std::initializer_list<Watch> watches, Clock::time_point deadline);

// A descriptor that becomes and stays readable once `open()` was called. Copies share it; any thread may open it.
class Gate {
 public:
  Gate();
  void open();
  int fd() const { return fd_.get(); }

 private:
  Fd fd_;
};

// A port that swallows SYN packets: its backlog is full and nobody accepts.
class BlackholePort {
 public:
  BlackholePort();
  std::uint16_t port() const { return listener_.port; }

 private:
  Listener listener_;
  Fd filler_;
};

// Sockets of this machine which are connecting to that loopback port (SYN sent, no answer yet).
std::size_t connecting_to(std::uint16_t port);

// A port nobody listens on: bound and closed again.
std::uint16_t refused_port();

}  // namespace sluice::support
