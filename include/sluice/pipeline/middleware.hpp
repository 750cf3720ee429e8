#pragma once
// The stages of an exchange, an onion that writes to a sink: when handle() returns, the exchange is over for the stages
// inside, streams included, so RAII in a stage's frame is right. A stage never renders an error: it returns it.

#include <memory>
#include <span>
#include <vector>

#include "sluice/core/async.hpp"
#include "sluice/core/error.hpp"
#include "sluice/pipeline/exchange.hpp"

namespace sluice::pipeline {

class Middleware;

// The rest of the chain.
class Next {
 public:
  explicit Next(std::span<const std::unique_ptr<Middleware>> rest) : rest_(rest) {}
  Task<Result<void>> operator()(Exchange& exchange) const;

 private:
  std::span<const std::unique_ptr<Middleware>> rest_;
};

// Immutable and shared by all workers; what belongs to one exchange lives in the exchange or in handle()'s frame.
class Middleware {
 public:
  virtual ~Middleware() = default;
  virtual Task<Result<void>> handle(Exchange& exchange, Next next) const = 0;
};

// The first stage of all that has a body: what is understood of it, as exchange.view. A body of more
// than `inline_bytes` is read beside the event loop.
std::unique_ptr<Middleware> make_parse_request(std::size_t inline_bytes);

}  // namespace sluice::pipeline
