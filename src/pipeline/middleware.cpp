#include "sluice/pipeline/middleware.hpp"

namespace sluice::pipeline {

namespace {

// The last stage answers; a request that falls through met a chain without one.
Task<Result<void>> nobody_answers() {
  co_return fail(ErrorKind::kInternal, "Nothing answers this request.", "end of pipeline");
}

}  // namespace

// No coroutine of its own: a link of the chain costs one frame, the stage's.
Task<Result<void>> Next::operator()(Exchange& exchange) const {
  if (rest_.empty()) return nobody_answers();
  return rest_.front()->handle(exchange, Next(rest_.subspan(1)));
}

}  // namespace sluice::pipeline
