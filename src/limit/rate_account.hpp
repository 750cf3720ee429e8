#pragma once
// Requests and tokens: a sliding window.

#include "limit/account.hpp"
#include "limit/sliding_window.hpp"

namespace sluice::limit {

class RateAccount final : public Account {
 public:
  RateAccount(std::string id, std::chrono::seconds window) : Account(std::move(id)), window_(window) {}

  std::expected<Booking, Refusal> take(const Limit& limit, std::int64_t amount, const Moment& now) override;
  void settle(const Closing& end) noexcept override;
  Standing standing(const Limit& limit, const Moment& now) override;
  bool idle(const Moment& now) override { return window_.empty(now.steady); }

 private:
  SlidingWindow window_;
};

}  // namespace sluice::limit
