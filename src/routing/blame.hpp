#pragma once
// What a failed attempt says about the target that was asked, and whether another one may do better.

#include <cstdint>

#include "sluice/core/error.hpp"

namespace sluice::routing {

enum class Blame : std::uint8_t {
  kNone,        // the client's own doing, or nobody's: says nothing about the target
  kTarget,      // it is broken or cannot be reached
  kBusy,        // it has enough for now (429)
  kCredential,  // it does not accept what we showed it
};
Blame blame_of(const Error& error);

// Why one would ask somebody else: labels.
enum class Reason : std::uint8_t { kNone, kOutage, kRateLimit, kCredential, kContextLength, kContentPolicy };
std::string_view to_string(Reason reason);  // "outage", "rate_limit", "credential", "context_length", "content_policy"

// Tells the client when to ask again. The official SDKs obey up to two minutes and give up at once if told more, so
// more is no retry at all.
void tell_wait(Error& error, std::chrono::milliseconds wait);

// kNone: nobody else would answer otherwise.
Reason reason_to_fall_back(const Error& error);

}  // namespace sluice::routing
