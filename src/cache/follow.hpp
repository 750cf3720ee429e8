#pragma once
// The part of those who get the answer to somebody else's equal request.

#include <memory>
#include <optional>

#include "cache/flight.hpp"
#include "sluice/pipeline/exchange.hpp"

namespace sluice::cache {

struct Followed {
  // Nothing: there is no answer for this one, and nothing has been sent; why, where it is everybody's.
  std::optional<Result<void>> sent{};
  std::optional<Error> refused{};
  EntryPtr entry{};  // the whole answer, where it has to be put into another form, or to be noted
};

// Passes on what comes, if the client wants a stream and it is one; else waits for all of it. `begin` is called just
// before the first byte goes to the client.
Task<Followed> follow(pipeline::Exchange& exchange, std::shared_ptr<Flight> flight, std::function<void()> begin);

}  // namespace sluice::cache
