#include "sluice/observe/sampling.hpp"

namespace sluice::observe {
namespace {

bool reaches(std::optional<nanoseconds> span, nanoseconds threshold) {
  return threshold > nanoseconds(0) && span && *span >= threshold;
}

// The finalizer of MurmurHash3: ids that somebody counts up are spread as well as random ones.
std::uint64_t mixed(std::uint64_t bits) {
  bits = (bits ^ bits >> 33) * 0xff51afd7ed558ccdULL;
  bits = (bits ^ bits >> 33) * 0xc4ceb9fe1a85ec53ULL;
  return bits ^ bits >> 33;
}

}  // namespace

bool always_kept(const Record& record, const SampleRules& rules) {
  if (record.outcome != Outcome::kOk && record.outcome != Outcome::kCacheHit) return true;
  if (record.cap || record.feedback) return true;
  if (reaches(record.until(Stage::kTotal), rules.slow)) return true;
  if (record.stream && reaches(record.until(Stage::kFirstToken), rules.slow_first_token)) return true;
  return rules.cost > Money() && record.cost && *record.cost >= rules.cost;
}

std::uint32_t share_kept(const Record& record, const SampleRules& rules) {
  if (rules.rate >= kWhole || always_kept(record, rules)) return kWhole;
  const std::uint64_t drawn = mixed(record.trace.low ^ mixed(record.trace.high)) % kWhole;
  return drawn < rules.rate ? rules.rate : 0;
}

}  // namespace sluice::observe
