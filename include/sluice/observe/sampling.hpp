#pragma once
// Which requests are written to the trace where not all are. Decided when a request is over, so that what went wrong is
// never left out. Plain functions; any thread.

#include <cstdint>

#include "sluice/core/money.hpp"
#include "sluice/observe/record.hpp"

namespace sluice::observe {

struct SampleRules {
  std::uint32_t rate = kWhole;     // of all traces, in millionths
  nanoseconds slow{};              // that take at least so long are always kept; 0: however long they take
  nanoseconds slow_first_token{};  // streams whose first token takes so long
  Money cost{};                    // that cost at least so much; nothing: whatever they cost
};

// Whether it is written for what it is, at any rate: it failed, it was refused, it was slow or dear, its run met
// a cap, or it is feedback.
bool always_kept(const Record& record, const SampleRules& rules);
// How many of a million requests like this one are written, itself included: kWhole: every one. 0: it is not written.
// The rest is chosen by a hash of the trace's id, so a trace is kept or left out as a whole, by all replicas alike.
std::uint32_t share_kept(const Record& record, const SampleRules& rules);

}  // namespace sluice::observe
