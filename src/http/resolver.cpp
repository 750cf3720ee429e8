#include "http/resolver.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <new>
#include <utility>

#include "sluice/core/reserve.hpp"

namespace sluice::http {
namespace {

constexpr auto kFailureTtl = milliseconds(1000);  // at most: no failure is believed for longer than an answer

// getaddrinfo blocks, and a dead name server blocks it for long: a few threads of their own, for the whole process.
// Never destroyed: a thread that hangs in there must not hold up the end of the process.
net::thread_pool& look_up_threads() {
  static auto* pool = new net::thread_pool(4);
  return *pool;
}
std::atomic<int> g_in_flight = 0;

}  // namespace

int look_ups_in_flight() { return g_in_flight; }

Resolver::Resolver(net::io_context& io, milliseconds ttl, LookUp look_up, std::shared_ptr<UpstreamCounts> counts)
    : io_(io), ttl_(ttl), look_up_(std::move(look_up)), counts_(std::move(counts)) {}

// All that is needed until its answer is there, the loop's operation included, so that the answer always comes.
struct Resolver::Question {
  std::string host;
  std::shared_ptr<Entry> entry;
  std::shared_ptr<UpstreamCounts> counts;
  LookUp look_up;
  milliseconds ttl;
  LookUpResult found = std::unexpected(std::string("no memory"));

  void ask() {
    try {
      found = look_up(host);
    } catch (const std::bad_alloc&) {
      // It fails, then.
    }
  }
};

void Resolver::look_up(const std::string& host, const std::shared_ptr<Entry>& entry) {
  auto question = std::make_shared<Question>(Question{host, entry, counts_, look_up_, ttl_});
  reserve_operation();
  entry->looking_up = true;
  ++g_in_flight;
  net::post(look_up_threads(), [question = std::move(question), &io = io_] {
    question->ask();
    reserve_operation_patiently();
    net::post(io,
              [question] { learn(*question->entry, std::move(question->found), question->ttl, *question->counts); });
    --g_in_flight;
  });
}

void Resolver::learn(Entry& entry, LookUpResult found, milliseconds ttl, UpstreamCounts& counts) {
  const bool good = found && !found->empty();
  if (good) {
    entry.addresses = std::move(*found);
  } else {
    entry.failure = found ? "no address" : std::move(found.error());
  }
  entry.fresh_until = Clock::now() + (good ? ttl : std::min(ttl, kFailureTtl));
  entry.looking_up = false;
  if (!std::exchange(entry.given_up, false)) ++counts.of(good ? LookUpEnd::kOk : LookUpEnd::kFailed);
  for (Waiter* waiter : entry.waiters) {
    waiter->over = true;
    waiter->timer.cancel();
  }
}

Task<IoResult<void>> Resolver::settled(std::shared_ptr<Entry> entry, TimePoint due) {
  Waiter waiter{Timer(io_.get_executor(), due)};
  struct Registered {
    Entry& entry;
    Waiter* waiter;
    ~Registered() { std::erase(entry.waiters, waiter); }
  } registered{*entry, &waiter};
  entry->waiters.push_back(&waiter);
  reserve_operation();
  auto [error] = co_await waiter.timer.async_wait(net::as_tuple(net::deferred));
  if (waiter.over) co_return IoResult<void>{};
  if (error) co_return std::unexpected(IoError{IoFault::kCancelled, "cancelled"});
  if (!std::exchange(entry->given_up, true)) ++counts_->of(LookUpEnd::kTimedOut);
  co_return std::unexpected(IoError{IoFault::kTimeout, "name look-up timed out"});
}

Task<IoResult<std::vector<IpAddress>>> Resolver::resolve(const std::string& host, TimePoint due) {
  if (const auto literal = parse_ip(host)) co_return std::vector{*literal};
  auto& slot = entries_[host];
  if (!slot) slot = std::make_shared<Entry>();
  auto entry = slot;
  if (Clock::now() >= entry->fresh_until && !entry->looking_up) look_up(host, entry);
  if (entry->addresses.empty() && entry->looking_up) {
    if (auto over = co_await settled(entry, due); !over) co_return std::unexpected(std::move(over.error()));
  }
  if (entry->addresses.empty()) co_return std::unexpected(IoError{IoFault::kOther, host + ": " + entry->failure});
  co_return entry->addresses;
}

}  // namespace sluice::http
