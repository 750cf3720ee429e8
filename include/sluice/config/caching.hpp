#pragma once
// What an admin writes about the exact cache: `cache`, and `cache` of a model and of a key. Plain values.

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "sluice/core/secret.hpp"

namespace sluice::config {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

enum class CachePolicy : std::uint8_t { kOff, kDeterministic, kAll };

// Who shares answers: those of one key, of its group, of the group's first part, or all that name the same namespace.
enum class CacheScope : std::uint8_t { kKey, kTeam, kOrg, kNamespace };

// Absent: as the next of key, model, `cache` has it. What is off in one of them is off.
struct CacheRules {
  std::optional<CachePolicy> policy{};
  std::optional<milliseconds> ttl{};          // how long an answer is given again
  std::optional<milliseconds> longest_ttl{};  // that a request may ask for
  std::optional<bool> request_control{};      // whether requests may say anything about it at all
  std::optional<CacheScope> scope{};
  std::string name_space{};                                  // `namespace`, of scope kNamespace
  std::optional<std::size_t> max_entry{};                    // bytes of an answer
  std::optional<std::vector<std::string>> finish_reasons{};  // of answers that are kept
  std::optional<bool> tool_calls{};                          // whether answers that call tools are kept
  std::optional<milliseconds> stale_while_revalidate{};      // an older answer is given, and a new one asked for
  std::optional<milliseconds> stale_if_error{};              // an older answer is given when nobody gives a new one
  bool operator==(const CacheRules&) const = default;
};

enum class Replay : std::uint8_t { kAtOnce, kPaced };

struct Cache {  // cache:
  CacheRules rules{.policy = CachePolicy::kOff,
                   .ttl = 10min,
                   .longest_ttl = std::chrono::days(1),
                   .request_control = true,
                   .scope = CacheScope::kKey,
                   .max_entry = 1024 * 1024,
                   .finish_reasons = std::vector<std::string>{"stop"},
                   .tool_calls = false,
                   .stale_while_revalidate = 0ms,
                   .stale_if_error = 0ms};
  Replay replay = Replay::kAtOnce;  // of streams: as fast as the client reads, or as the answer once came
  bool coalesce = true;             // equal requests at the same time are asked once
  milliseconds coalesce_wait = 5s;  // for a request of another replica, before asking oneself
  std::size_t memory = 256 * 1024 * 1024;
  std::size_t compress_over = 4096;  // bytes; of entries in Redis
  Secret secret;                     // of keys and of entries in Redis; the same in all replicas
  bool operator==(const Cache&) const = default;
};

}  // namespace sluice::config
