#pragma once
// Host names to addresses, off the event loop and cached per worker. An address past its time still serves while a new
// look-up runs, and goes on serving when that look-up fails: the last good answer is kept.

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "http/io_result.hpp"
#include "sluice/core/async.hpp"
#include "sluice/core/clock.hpp"
#include "sluice/core/upstream_counts.hpp"
#include "sluice/http/client.hpp"

namespace sluice::http {

class Resolver {
 public:
  // A look-up may end after the resolver: it then still counts in `counts`, on the worker's thread.
  Resolver(net::io_context& io, milliseconds ttl, LookUp look_up, std::shared_ptr<UpstreamCounts> counts);

  // At least one address; one that is written out is its own and is not looked up. Waits only if no good answer is
  // known. kTimeout: none came until `due`; kCancelled; kOther: the look-up failed, the detail says how.
  Task<IoResult<std::vector<IpAddress>>> resolve(const std::string& host, TimePoint due);
  void set_ttl(milliseconds ttl) { ttl_ = ttl; }  // of answers to look-ups that begin from now on

 private:
  using Timer = net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor>;
  struct Waiter {  // asleep until the look-up is over
    Timer timer;
    bool over = false;
  };
  struct Entry {
    std::vector<IpAddress> addresses;
    std::string failure;
    TimePoint fresh_until{};
    bool looking_up = false;
    bool given_up = false;  // somebody would not wait for this look-up any longer
    std::vector<Waiter*> waiters;
  };
  struct Question;
  void look_up(const std::string& host, const std::shared_ptr<Entry>& entry);
  static void learn(Entry& entry, LookUpResult found, milliseconds ttl, UpstreamCounts& counts);
  Task<IoResult<void>> settled(std::shared_ptr<Entry> entry, TimePoint due);

  net::io_context& io_;
  milliseconds ttl_;
  LookUp look_up_;
  std::shared_ptr<UpstreamCounts> counts_;
  std::unordered_map<std::string, std::shared_ptr<Entry>> entries_;
};

// Look-ups that a thread is still busy with; while there are any, no io_context they report to may be destroyed.
int look_ups_in_flight();

}  // namespace sluice::http
