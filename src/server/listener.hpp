#pragma once
// Accepting connections, within a bound and with an answer for those beyond it. Belongs to one worker thread.

#include <array>
#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "http/transport.hpp"
#include "sluice/config/config.hpp"
#include "sluice/observe/metrics.hpp"

namespace sluice::server {

using Acceptor = net::basic_socket_acceptor<net::ip::tcp, Executor>;

// Bound and listening; several with the same address share its connections (SO_REUSEPORT).
std::expected<Acceptor, std::string> open_listener(net::io_context& io, const config::Address& address);

// How many clients may be connected at once, over all workers. Any thread; outlives its slots.
class ConnectionSlots {
 public:
  class Slot {
   public:
    Slot() = default;
    explicit Slot(ConnectionSlots& of) : of_(&of) {}
    Slot(Slot&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
    Slot& operator=(Slot&& other) noexcept {
      std::swap(of_, other.of_);
      return *this;
    }
    ~Slot() {
      if (of_ != nullptr) --of_->taken_;
    }
    explicit operator bool() const { return of_ != nullptr; }

   private:
    ConnectionSlots* of_ = nullptr;
  };

  explicit ConnectionSlots(std::size_t most) : most_(most) {}
  void set_most(std::size_t most) { most_ = most; }
  std::size_t most() const { return most_; }
  Slot take();  // an empty one: all are taken

 private:
  std::atomic<std::size_t> most_;
  std::atomic<std::size_t> taken_ = 0;
};

// A descriptor kept back, so that a client can still be told that there are no more.
class ReserveDescriptor {
 public:
  ReserveDescriptor() { take(); }
  ~ReserveDescriptor() { release(); }
  ReserveDescriptor(const ReserveDescriptor&) = delete;
  ReserveDescriptor& operator=(const ReserveDescriptor&) = delete;
  void take();
  void release();

 private:
  int held_ = -1;
};

IpAddress address_of(const http::TcpEndpoint& peer);

class Listener : public std::enable_shared_from_this<Listener> {
 public:
  struct Place {  // where it runs; all of it outlives the event loop
    TimerWheel& timers;
    observe::Metrics& metrics;
    ConnectionSlots& slots;
    std::function<std::shared_ptr<const http::TlsContext>()> tls;  // what a connection begins with now; null: no TLS
    bool essential = false;  // out of descriptors, the reserved one is used to serve rather than to refuse
  };
  using Accepted = std::function<void(http::TcpSocket, const IpAddress& source, ConnectionSlots::Slot)>;

  Listener(Acceptor acceptor, Place place, Accepted accepted);

  // Accepts from now on. Harmless when it does already: an accident may have ended it.
  void start();
  // Takes who is waiting to be accepted, whom closing would reset, and then no more.
  void close();

 private:
  using Timer = net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor>;
  class Refusing;
  Task<void> run();
  Task<void> accept_some();
  Task<void> pause(milliseconds time);
  Task<void> out_of_descriptors();
  void take_waiting();
  void admit(http::TcpSocket socket);
  void start_refusal(http::TcpSocket socket, observe::Shed reason);
  Task<void> refuse(http::TcpSocket socket);

  Acceptor acceptor_;
  http::TcpEndpoint peer_;  // of the latest connection: one that is reset at once cannot be asked any more
  Place place_;
  Accepted accepted_;
  ReserveDescriptor reserve_;
  Timer pause_;
  bool running_ = false;
  std::size_t refusing_ = 0;
};

}  // namespace sluice::server
