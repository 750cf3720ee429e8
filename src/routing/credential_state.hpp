#pragma once
// What is known of one credential of a provider: whether it is accepted, whether it rests, what is left of its limits.
// Lock-free; any thread. Holds no secret and no settings, so it can outlive a configuration.

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>

#include "routing/allowance.hpp"
#include "routing/cool_down.hpp"
#include "sluice/core/clock.hpp"

namespace sluice::routing {

struct CredentialSettings {
  CoolDownSettings cool_down{};
  // After a 401 or 403; then one request tries it. milliseconds::max(): until forgive().
  milliseconds quarantine = std::chrono::minutes(10);
  milliseconds trial = std::chrono::seconds(30);  // in which that try must have been answered, or another goes
};

enum class Unusable : std::uint8_t { kNothing, kQuarantined, kCoolingDown, kRequestsSpent, kTokensSpent };
inline constexpr std::array<std::string_view, 5> kUnusableNames = {"none", "quarantined", "cooling_down",
                                                                   "requests_spent", "tokens_spent"};

// Why a credential cannot be used, and until when. kNothing: it can.
struct Rest {
  Unusable why = Unusable::kNothing;
  TimePoint until{};
};

class CredentialState {
 public:
  // For a request that is estimated to need so many tokens.
  Rest rest(std::int64_t tokens, TimePoint now) const;
  // Takes them off what is left. False: another thread was faster with the one try after a quarantine.
  bool try_take(const CredentialSettings& settings, std::int64_t tokens, TimePoint now);

  // What came of it. `heard` for any answer, then one of the others, or none.
  void heard(const RateLimits& limits, TimePoint now);
  void worked(TimePoint now);  // the credential was accepted and not limited
  void rate_limited(const CredentialSettings& settings, std::optional<milliseconds> told, TimePoint now);
  void rejected(const CredentialSettings& settings, TimePoint now);  // 401 or 403
  // The operator had a hand in it: the quarantine is over.
  void forgive() { quarantined_until_.store(TimePoint{}, std::memory_order_relaxed); }

  std::uint64_t rejections() const { return rejections_.load(std::memory_order_relaxed); }
  std::uint64_t cool_downs() const { return cool_downs_.load(std::memory_order_relaxed); }

 private:
  std::atomic<TimePoint> quarantined_until_{TimePoint{}};  // TimePoint{}: it is not
  std::atomic<bool> on_trial_{false};
  CoolDown cool_down_;
  Allowance requests_;
  Allowance tokens_;
  std::atomic<std::uint64_t> rejections_{0};
  std::atomic<std::uint64_t> cool_downs_{0};
};

}  // namespace sluice::routing
