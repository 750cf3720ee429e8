#pragma once
// A limit's no, in words the client can act on.

#include "sluice/core/error.hpp"
#include "sluice/limit/ledger.hpp"

namespace sluice::admission {

// kRateLimited, kConcurrencyExceeded (kOverloaded for the whole process's slots) or kBudgetExceeded. Waits beyond what
// an SDK should sit out in one go are told and marked as not worth an automatic retry.
Error refusal_error(const limit::Limit& limit, const limit::Refusal& refusal, std::int64_t wanted);

}  // namespace sluice::admission
