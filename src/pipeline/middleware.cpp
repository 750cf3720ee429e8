#include "sluice/pipeline/middleware.hpp"

namespace sluice::pipeline {

Task<Result<void>> Next::operator()(Exchange& exchange) const {
  // The last stage answers; a request that falls through met a chain without one.
  if (rest_.empty()) co_return fail(ErrorKind::kInternal, "Nothing answers this request.", "end of pipeline");
  co_return co_await rest_.front()->handle(exchange, Next(rest_.subspan(1)));
}

}  // namespace sluice::pipeline
