#include "limit/lease.hpp"

#include <random>

#include "limit/calendar.hpp"

namespace sluice::limit {
namespace {

std::mt19937_64 seeded() {
  std::random_device source;
  std::seed_seq seed{source(), source(), source(), source(), source(), source(), source(), source()};
  return std::mt19937_64(seed);
}

std::int64_t milliseconds_of(std::chrono::sys_seconds when) { return milliseconds(when.time_since_epoch()).count(); }

}  // namespace

std::string new_lease_id() {
  thread_local std::mt19937_64 generator = seeded();
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string id(32, '0');
  for (std::size_t half = 0; half < 2; ++half) {
    std::uint64_t bits = generator();
    for (std::size_t i = 0; i < 16; ++i, bits >>= 4) id[16 * half + i] = kDigits[bits & 15];
  }
  return id;
}

Term term_of(const Limit& limit, WallTime now) {
  if (limit.meter != Meter::kMoney || limit.period == Period::kTotal) return {};
  return {.from = milliseconds_of(period_start(limit.period, now)),
          .until = milliseconds_of(period_end(limit.period, now))};
}

std::vector<Term> terms_of(const std::vector<Take>& takes, WallTime now) {
  std::vector<Term> terms;
  terms.reserve(takes.size());
  for (const Take& take : takes) terms.push_back(term_of(*take.limit, now));
  return terms;
}

}  // namespace sluice::limit
