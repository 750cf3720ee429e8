#pragma once
// What an admin writes about routing: `routing`, and the parts of a provider and of a model that say who answers.
// Plain values. Models are named here as in the file; model_names.hpp says what such a name stands for.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sluice/config/conditions.hpp"
#include "sluice/config/units.hpp"

namespace sluice::config {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

struct RetryBudget {      // routing.retry_budget: further attempts, beside first ones
  unsigned percent = 20;  // of the first attempts of late
  std::size_t least = 3;  // at once, however few first ones there are
  bool operator==(const RetryBudget&) const = default;
};

struct Backoff {  // routing.backoff: between two attempts at the same target
  milliseconds base = 100ms;
  milliseconds most = 2s;
  bool operator==(const Backoff&) const = default;
};

struct Breaker {                      // routing.breaker, and breaker of a provider
  unsigned consecutive_failures = 5;  // in a row that eject a target; 0: no number does
  unsigned error_percent = 50;        // `error_rate`: of the requests in `window` that eject it; 0: no share does
  milliseconds window = 10s;
  std::size_t least_requests = 20;  // in it, before the share says anything
  milliseconds ejection = 30s;      // the first time; longer each time
  milliseconds longest_ejection = 5min;
  milliseconds slow_start = 30s;  // after it: until it gets its whole share again; 0: at once
  bool operator==(const Breaker&) const = default;
};

struct Routing {              // routing:
  unsigned max_attempts = 3;  // of one request, at all its targets together
  unsigned retries = 1;       // rounds over the same targets, where all have failed and the last one in passing (5xx)
  RetryBudget retry_budget;
  Backoff backoff;
  Breaker breaker;
  bool response_headers = true;  // answers tell which target gave them and why
  bool operator==(const Routing&) const = default;
};

struct Health {      // providers.<name>.health: asked whether it is well, beside what its requests tell
  std::string path;  // on the host of base_url; empty: not asked
  milliseconds interval = 10s;
  milliseconds timeout = 2s;
  bool operator==(const Health&) const = default;
};

struct Target {
  std::string provider{};  // exists in Config::providers
  std::string model{};     // upstream name; "*" forwards the name that was asked for
  unsigned weight = 1;     // share among those of its tier; 0: none
  unsigned tier = 0;       // tried after all of a lower one
  std::string name{};      // for people and metrics; empty: provider/model
  Conditions when{};       // else it is no target of the request
  bool when_off = false;   // a target only while the provider of the first one is off
  bool operator==(const Target&) const = default;
};

enum class Strategy : std::uint8_t { kOrdered, kWeighted, kLeastBusy, kLowestLatency, kLowestCost, kSticky };
std::string_view to_string(Strategy strategy);  // "ordered", "weighted", …: as the file has it
enum class StickyBy : std::uint8_t { kUser, kKey, kPromptCacheKey, kPrompt };

struct Split {           // part of the traffic goes to another model, the same users each time
  unsigned percent = 0;  // 1 to 100
  std::string use{};
  std::string name{};  // empty: as `use`
  bool operator==(const Split&) const = default;
};

struct Mirror {  // a copy of part of the traffic, whose answers nobody sees
  std::string use{};
  unsigned percent = 100;
  bool operator==(const Mirror&) const = default;
};

struct FallbackOn {  // models for one reason only; absent: `fallback`; empty: none
  std::optional<std::vector<std::string>> context_length{}, content_policy{};
  bool operator==(const FallbackOn&) const = default;
};

struct Starve {                                // a stream that brings less than this is given up, if that is still
  Allowance rate{1, std::chrono::seconds(1)};  // possible; content events
  milliseconds within = 10s;                   // measured over so long
  bool operator==(const Starve&) const = default;
};

struct Hedge {                              // a second attempt beside one that has not answered
  std::optional<unsigned> percentile = 95;  // of the target's times to the first token: 1 to 99; nothing: `after`
  milliseconds after = 0ms;                 // without a percentile
  milliseconds least = 200ms;               // never earlier, whatever the percentile says
  bool operator==(const Hedge&) const = default;
};

struct Rule {
  std::string name{};   // for people and metrics; empty: its number
  Conditions when{};    // none: always
  std::string use{};    // a model
  bool shadow = false;  // only told, never followed
  bool operator==(const Rule&) const = default;
};
inline constexpr std::size_t kMostRules = 64;    // of one model
inline constexpr std::size_t kMostTargets = 64;  // of one model

}  // namespace sluice::config
