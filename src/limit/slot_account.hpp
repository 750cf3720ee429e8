#pragma once
// Concurrency: how many are in progress.

#include <atomic>

#include "limit/account.hpp"

namespace sluice::limit {

class SlotAccount final : public Account {
 public:
  using Account::Account;

  std::expected<Booking, Refusal> take(const Limit& limit, std::int64_t amount, const Moment& now) override;
  void settle(const Closing& end) noexcept override { taken_.fetch_sub(end.take.amount); }
  Standing standing(const Limit& limit, const Moment& now) override;
  bool idle(const Moment& /*now*/) override { return taken_.load() == 0; }

 private:
  std::atomic<std::int64_t> taken_{0};
};

}  // namespace sluice::limit
