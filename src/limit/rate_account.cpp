#include "limit/rate_account.hpp"

#include <algorithm>

namespace sluice::limit {

std::expected<Booking, Refusal> RateAccount::take(const Limit& limit, std::int64_t amount, const Moment& now) {
  const std::int64_t most = std::max<std::int64_t>(limit.most, 0);
  const std::int64_t countable = std::clamp<std::int64_t>(amount, 0, SlidingWindow::kMost);
  auto place = amount > SlidingWindow::kMost ? std::nullopt : window_.take(countable, most, now.steady);
  const bool over = !place;
  if (over && limit.mode == Mode::kEnforce) {
    return std::unexpected(
        Refusal{.index = 0, .retry_after = window_.wait(amount, most, now.steady), .used = window_.used(now.steady)});
  }
  if (over) place = window_.add(countable, now.steady);
  return Booking{.amount = countable, .place = *place, .standing = standing(limit, now), .over = over};
}

// What was not used is taken back from where it was booked; what was used beyond that happened now.
void RateAccount::settle(const Closing& end) noexcept {
  const std::int64_t used = std::clamp<std::int64_t>(end.used, 0, SlidingWindow::kMost);
  const std::int64_t taken = end.take.amount;
  if (used < taken) window_.give_back(taken - used, end.place);
  if (used > taken) window_.add(used - taken, end.options.clock());
}

Standing RateAccount::standing(const Limit& /*limit*/, const Moment& now) {
  return {.used = window_.used(now.steady), .reserved = 0, .resets_in = window_.empty_in(now.steady)};
}

}  // namespace sluice::limit
