#include "limit/account.hpp"

namespace sluice::limit {

std::optional<Booking> Account::extend(const Limit& /*limit*/, std::int64_t /*amount*/, std::int64_t /*place*/) {
  return std::nullopt;
}

void Account::shorten(std::int64_t /*amount*/, std::int64_t /*place*/) noexcept {}

}  // namespace sluice::limit
