#pragma once
// Host names to addresses, off the event loop and cached per worker. An address past its time still serves while a new
// look-up runs, and goes on serving when that look-up fails: the last good answer is kept.

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "http/transport.hpp"
#include "sluice/core/async.hpp"
#include "sluice/core/clock.hpp"
#include "sluice/core/error.hpp"

namespace sluice::http {

class Resolver {
 public:
  Resolver(net::io_context& io, milliseconds ttl) : io_(io), ttl_(ttl) {}

  Task<IoResult<std::vector<TcpEndpoint>>> resolve(const std::string& host, std::uint16_t port, TimePoint due);
  void set_ttl(milliseconds ttl) { ttl_ = ttl; }

 private:
  using Timer = net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor>;
  struct Entry {
    std::vector<net::ip::address> addresses;
    std::string failure;
    TimePoint fresh_until{};
    bool looking_up = false;
    std::vector<Timer*> waiters;  // asleep until the look-up is over
  };
  void look_up(const std::string& host, const std::shared_ptr<Entry>& entry);
  Task<IoResult<void>> settled(std::shared_ptr<Entry> entry, TimePoint due);

  net::io_context& io_;
  milliseconds ttl_;
  std::unordered_map<std::string, std::shared_ptr<Entry>> entries_;
};

// Look-ups that a thread is still busy with; while there are any, no io_context they report to may be destroyed.
int look_ups_in_flight();

}  // namespace sluice::http
