#pragma once
// The books of all limits: what may be taken, what has been taken. A request takes from every limit on its path in one
// step, all or nothing, before anything is sent; it settles what it really used when it is over. Two ledgers keep the
// same contract: in this process (make_memory_ledger) and in Redis (make_redis_ledger).

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "sluice/core/admission.hpp"
#include "sluice/core/async.hpp"
#include "sluice/core/clock.hpp"
#include "sluice/core/error.hpp"

namespace sluice::limit {

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
inline WallTime wall_now() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

// What a ledger keeps of one limit; only that ledger looks inside.
struct LimitState {
  virtual ~LimitState() = default;
};

// One limit of one node, made from the configuration. `id` names its state: it is the same over reloads and replicas,
// e.g. "group:acme/search|requests|60". Immutable once a ledger knows it; several may share one state, and then differ
// in `most`, `mode` and what comes after that, but not in meter, window and period: those belong to the state.
struct Limit {
  std::string id;
  std::string node;  // "group acme/search", "key search-web", "model chat", "provider openai", "user", "process"
  Meter meter = Meter::kRequests;
  std::int64_t most = 0;            // requests, tokens, slots or nano-dollars
  std::chrono::seconds window{60};  // rates: of the sliding window
  Period period = Period::kMonth;   // budgets
  Mode mode = Mode::kEnforce;
  OnExceeded on_exceeded = OnExceeded::kFinish;
  std::vector<unsigned> alert_percent{};  // budgets, ascending
  std::shared_ptr<LimitState> state{};    // set by Ledger::know()
};

// So much of one limit; a slot of concurrency is 1. Less than nothing counts as nothing. The limit must outlive the
// grant that comes of it.
struct Take {
  const Limit* limit = nullptr;
  std::int64_t amount = 0;
};

// Nothing was taken at all.
struct Refusal {
  std::size_t index = 0;  // of the first take that was refused, in their order
  // When that limit will admit this amount if nothing else is taken meanwhile; nothing: never, or (concurrency, budgets
  // without an end) nobody knows.
  std::optional<std::chrono::milliseconds> retry_after{};
  std::int64_t used = 0;  // of the limit, reserved included
};

// How a limit stood just after the take, that included.
struct Standing {
  std::int64_t used = 0;                   // settled; of rates: all that counts; of concurrency: nothing
  std::int64_t reserved = 0;               // taken and not settled; of rates: nothing
  std::chrono::milliseconds resets_in{0};  // until all of it is free again if nothing more comes; budgets: until the
                                           // period ends; 0 for concurrency and total
};

class Ledger;

// A take that was granted, until it is settled. Destroyed unsettled it is settled with nothing used, so that nothing
// stays taken whatever happens to a request. Owned by the exchange's frame; any thread may end it.
class Grant {
 public:
  Grant() = default;
  Grant(Grant&& other) noexcept { swap(other); }
  Grant& operator=(Grant&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Grant();
  explicit operator bool() const { return ledger_ != nullptr; }

  std::span<const Take> takes() const { return takes_; }
  std::span<const Standing> standings() const { return standings_; }  // one per take
  // Takes that went over their limit and were granted because it is only observed: a bit per index.
  std::uint64_t observed() const { return observed_; }

  // The end: so much was really used of each take, more or less than was taken (slots: ignored). What was not used
  // comes off where it was booked, what was used beyond counts from now on; of budgets, both in the period of the take.
  // Never waits, throws or allocates.
  void settle(std::span<const std::int64_t> used);
  // A stream runs past its reservation: `amount` more of each budget, in the period of the take, all or nothing.
  // takes() grow by it. Ledgers that cannot tell without waiting say no.
  bool extend(Money amount);

 private:
  friend class Ledger;
  void swap(Grant& other) noexcept;
  Ledger* ledger_ = nullptr;
  std::vector<Take> takes_;
  std::vector<Standing> standings_;
  std::uint64_t observed_ = 0;
  std::vector<std::int64_t> places_;  // the ledger's own: of each take, where it was booked
  std::string lease_;                 // the same, for a ledger that is shared
};

using Verdict = std::variant<Grant, Refusal>;

// Lives as long as the process; all functions may be called from any thread.
class Ledger {
 public:
  virtual ~Ledger() = default;

  // Makes ready what `limit.id` stands for: what is already on the books stays on them. Before the first take of it.
  virtual void know(Limit& limit) = 0;

  // Without waiting, where that is possible (in memory: always). At most 64 takes, tried in their order; if one is
  // refused those before it are given back, and may until then have made another request be refused. Budgets and other
  // limits may be mixed. `now` is the wall clock: calendar periods follow it; sliding windows use their own steady
  // clock.
  virtual std::optional<Verdict> admit_now(const std::vector<Take>& takes, WallTime now) = 0;
  // The same with waiting. Errors: kBudgetUnavailable, kClientGone.
  virtual Task<Result<Verdict>> admit(std::vector<Take> takes, WallTime now) = 0;

  // How limits stand, for operators.
  virtual Task<Result<std::vector<Standing>>> look(std::vector<const Limit*> limits, WallTime now) = 0;

 protected:
  friend class Grant;
  virtual void settle(Grant& grant, std::span<const std::int64_t> used) noexcept = 0;
  virtual bool extend(Grant& grant, Money amount) = 0;

  // For ledgers: the inside of a grant.
  Grant grant_of(std::vector<Take> takes);
  static std::vector<Take>& takes(Grant& grant) { return grant.takes_; }
  static std::vector<Standing>& standings(Grant& grant) { return grant.standings_; }
  static std::uint64_t& observed(Grant& grant) { return grant.observed_; }
  static std::vector<std::int64_t>& places(Grant& grant) { return grant.places_; }
  static std::string& lease(Grant& grant) { return grant.lease_; }
};

}  // namespace sluice::limit
