#include "limit/slot_account.hpp"

#include <algorithm>

namespace sluice::limit {
namespace {

constexpr std::int64_t kMostAtOnce = std::int64_t{1} << 40;  // so that no sum of them wraps around

}  // namespace

std::expected<Booking, Refusal> SlotAccount::take(const Limit& limit, std::int64_t amount, const Moment& now) {
  amount = std::clamp<std::int64_t>(amount, 0, kMostAtOnce);
  std::int64_t taken = taken_.load();
  bool over = false;
  do {
    over = amount > limit.most - taken;
    if (over && limit.mode == Mode::kEnforce) {
      return std::unexpected(Refusal{.index = 0, .retry_after = {}, .used = taken});
    }
  } while (!taken_.compare_exchange_weak(taken, taken + amount));
  return Booking{.amount = amount, .place = 0, .standing = standing(limit, now), .over = over};
}

Standing SlotAccount::standing(const Limit& /*limit*/, const Moment& /*now*/) {
  return {.used = 0, .reserved = taken_.load(), .resets_in = {}};
}

}  // namespace sluice::limit
