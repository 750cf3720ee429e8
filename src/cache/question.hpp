#pragma once
// What the cache makes of one request: whether it has a part in it, by which rules and under which key.

#include <optional>

#include "cache/policy.hpp"
#include "sluice/cache/key.hpp"
#include "sluice/pipeline/exchange.hpp"

namespace sluice::cache {

struct Question {
  bool off = false;  // no part at all
  Bypass bypass = Bypass::kNone;
  config::CacheRules rules{};
  Control control{};
  std::string scope{};       // for people and for purging
  std::optional<Key> key{};  // unless off or bypassed
};

// After Resolve. An error: what the request says about the cache cannot be read.
Result<Question> question_of(const pipeline::Exchange& exchange, const config::Cache& settings, const KeyMaker& keys);

}  // namespace sluice::cache
