#pragma once
// The asking of an answer that others follow: it goes on when the client it began for has left, as long as anybody
// follows, and ends at once when nobody does any more.

#include <memory>

#include "cache/flight.hpp"
#include "cache/tee.hpp"
#include "sluice/core/async.hpp"
#include "sluice/core/error.hpp"

namespace sluice::cache {

// Awaits `answer`, which writes to `tee`. Whoever awaits this owns all of it.
Task<Result<void>> lead(Task<Result<void>> answer, Flight& flight, Tee& tee);

}  // namespace sluice::cache
