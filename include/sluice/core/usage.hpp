#pragma once
// Token counts of one answer, as an upstream reported them or as we counted.

#include <cstdint>
#include <string_view>

namespace sluice {

// kCached: nothing was used, the answer had been given before.
enum class UsageSource : std::uint8_t { kNone, kReported, kEstimated, kCached };
inline std::string_view to_string(UsageSource source) {
  switch (source) {
    case UsageSource::kReported:
      return "reported";
    case UsageSource::kEstimated:
      return "estimated";
    case UsageSource::kCached:
      return "cached";
    case UsageSource::kNone:
      break;
  }
  return "none";
}

// Never negative: whatever was reported is clamped to [0, 2^53].
struct Usage {
  std::int64_t input = 0;   // includes cached tokens
  std::int64_t output = 0;  // includes reasoning tokens
  std::int64_t cached = 0;  // read from the provider's prompt cache
  std::int64_t cache_write = 0;
  std::int64_t reasoning = 0;
  UsageSource source = UsageSource::kNone;
  bool anomalous = false;  // something was negative, fractional, huge or of the wrong type
};

}  // namespace sluice
