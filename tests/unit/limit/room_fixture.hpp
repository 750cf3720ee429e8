#pragma once
// Slots that many threads take and give back, and requests that wait for them.

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sluice/limit/waiting_room.hpp"

namespace sluice::limit::testing {

// A limit of concurrency and how many slots of it are taken. Counts what was ever taken at once.
struct Slots {
  Slots(std::string node, std::int64_t most) {
    limit.id = node + "|concurrency";
    limit.node = std::move(node);
    limit.meter = Meter::kConcurrency;
    limit.most = most;
  }
  Limit limit;
  std::atomic<std::int64_t> used = 0;
};

// All of `wanted` or none, in their order, as a ledger without locks does it: what is taken before one is found full is
// held for a moment.
inline std::optional<std::size_t> try_take(const std::vector<Slots*>& wanted) {
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    std::int64_t used = wanted[i]->used.load(std::memory_order_relaxed);
    while (used < wanted[i]->limit.most &&
           !wanted[i]->used.compare_exchange_weak(used, used + 1, std::memory_order_acq_rel)) {
    }
    if (used < wanted[i]->limit.most) continue;
    for (std::size_t held = 0; held < i; ++held) wanted[held]->used.fetch_sub(1, std::memory_order_acq_rel);
    return i;
  }
  return std::nullopt;
}

inline std::vector<Take> takes_of(const std::vector<Slots*>& wanted) {
  std::vector<Take> takes;
  for (const Slots* slots : wanted) takes.push_back({&slots->limit, 1});
  return takes;
}

inline void give_back(WaitingRoom& room, const std::vector<Slots*>& held) {
  for (Slots* slots : held) slots->used.fetch_sub(1, std::memory_order_acq_rel);
  room.slot_freed(takes_of(held));
}

// A grant of nothing: the slots above are counted by the test.
inline Task<Result<Verdict>> verdict_on(std::vector<Slots*> wanted) {
  if (const auto full = try_take(wanted)) co_return Verdict(Refusal{.index = *full});
  co_return Verdict(Grant());
}

// One request and what became of it.
struct Request {
  std::vector<Slots*> wanted;
  Priority priority = Priority::kNormal;
  std::string key = "k";
  TimePoint due = kNever;
  TryAdmit try_admit = nullptr;  // null: verdict_on(wanted)
  net::cancellation_signal leave{};
  std::optional<Result<Verdict>> result{};
  bool threw = false;

  bool over() const { return result.has_value() || threw; }
  bool granted() const { return result && *result && std::holds_alternative<Grant>(**result); }
  std::optional<ErrorKind> error() const {
    if (!result || *result) return std::nullopt;
    return result->error().kind;
  }
};

inline Task<void> wait_in(WaitingRoom& room, Request& request) {
  const auto takes = takes_of(request.wanted);
  Wish wish{.priority = request.priority, .key = request.key, .due = request.due, .takes = takes};
  TryAdmit try_admit = request.try_admit;
  if (!try_admit) try_admit = [&request] { return verdict_on(request.wanted); };
  auto result = co_await room.enter(std::move(wish), std::move(try_admit));
  request.result.emplace(std::move(result));
}

// `then` is called on the loop when it is over.
template <class Then>
void send(net::io_context& io, WaitingRoom& room, Request& request, Then then) {
  net::co_spawn(io, wait_in(room, request),
                net::bind_cancellation_slot(request.leave.slot(),
                                            [&request, then = std::move(then)](std::exception_ptr thrown) mutable {
                                              request.threw = thrown != nullptr;
                                              then();
                                            }));
}

}  // namespace sluice::limit::testing
