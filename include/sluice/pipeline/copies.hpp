#pragma once
// Requests made of other ones, for whose answers nobody waits: mirrored traffic, refreshed cache entries. Each belongs
// to the thread it was begun on.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sluice/pipeline/exchange.hpp"

namespace sluice::pipeline {

// Per thread: copies are worth less than requests.
inline constexpr std::size_t kMostCopies = 64;

class Copy;

// What a copy has of its own, before it begins. Body, query and the fields that may change the answer are those of the
// request it is made of.
struct CopyPlan {
  observe::Record record{};                                   // with an id, and when it began
  std::vector<std::pair<std::string, std::string>> fields{};  // that its head has besides
  // What becomes of it; its exchange has no key, view or stages yet. Keeps what it refers to.
  std::function<Task<Result<void>>(Exchange&)> ask{};
};

// Nothing: there are too many already, or nobody keeps records.
std::optional<CopyPlan> plan_copy(const Exchange& exchange);
// Begins it; the exchange that it is made of may end at any time. Its record is kept when it is over.
void begin_copy(const Exchange& exchange, CopyPlan plan, const Executor& executor);

// Cancels those that are under way on this thread, which then end within a few turns of its loop. Whether none is left.
// A loop must not be given up before.
bool end_copies();

}  // namespace sluice::pipeline
