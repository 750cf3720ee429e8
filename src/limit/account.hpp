#pragma once
// What the ledger in memory keeps of one limit. One kind per way of counting: accounts.hpp, budget_account.hpp.

#include <expected>
#include <optional>
#include <string>
#include <utility>

#include "sluice/limit/memory_ledger.hpp"

namespace sluice::limit {

// Now, on both clocks: windows follow the steady one, calendar periods the other.
struct Moment {
  TimePoint steady;
  WallTime wall;
};

// A take that is on the books.
struct Booking {
  std::int64_t amount = 0;  // less than was asked for only where counts saturate
  std::int64_t place = 0;   // where it was booked; only its account can read that
  Standing standing{};
  bool over = false;  // it went over the limit, which is only observed
};

// The end of a booking.
struct Closing {
  const Take& take;  // as booked
  std::int64_t place;
  std::int64_t used;
  const MemoryLedgerOptions& options;
};

// All functions may be called from any thread and wait for nobody.
class Account : public LimitState {
 public:
  explicit Account(std::string id) : id_(std::move(id)) {}
  const std::string& id() const { return id_; }

  // The limit's mode is obeyed; its numbers are the limit's own, since limits that share an account may differ in them.
  virtual std::expected<Booking, Refusal> take(const Limit& limit, std::int64_t amount, const Moment& now) = 0;
  // More for a booking of money that is still open. Nothing: refused.
  virtual std::optional<Booking> extend(const Limit& limit, std::int64_t amount, std::int64_t place);
  // Takes back such an extension.
  virtual void shorten(std::int64_t amount, std::int64_t place) noexcept;
  // Once per booking, in any order.
  virtual void settle(const Closing& end) noexcept = 0;

  virtual Standing standing(const Limit& limit, const Moment& now) = 0;
  // Nothing would be forgotten if it were dropped now. Asked when no limit refers to it any more.
  virtual bool idle(const Moment& now) = 0;

 private:
  const std::string id_;
};

inline Account& account_of(const Limit& limit) { return static_cast<Account&>(*limit.state); }

}  // namespace sluice::limit
