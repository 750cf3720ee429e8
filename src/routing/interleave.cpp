#include "routing/interleave.hpp"

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <limits>

namespace sluice::routing {
namespace {

// Somebody's turns, spread over a period that is as long as there are holders and one: the k-th is due at
// (k * period + phase) / weight. The phases differ, so that holders of equal weight do not come all at once.
struct Holder {
  std::uint64_t weight = 0;
  std::uint64_t phase = 0;
  std::uint64_t had = 0;
  double* due = nullptr;

  void set_due(std::uint64_t period) { *due = static_cast<double>(had * period + phase) / static_cast<double>(weight); }
};
using Holders = boost::container::small_vector<Holder, 64>;

Holders holders_of(std::span<const std::uint32_t> weights, std::span<double> due) {
  Holders holders;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    due[i] = std::numeric_limits<double>::infinity();
    if (weights[i] == 0) continue;
    holders.push_back({.weight = std::min(weights[i], kMostWeight), .phase = holders.size() + 1, .due = &due[i]});
  }
  return holders;
}

}  // namespace

void interleave(std::span<const std::uint32_t> weights, std::uint64_t turn, std::span<double> due) {
  Holders holders = holders_of(weights, due);
  if (holders.empty()) return;
  const std::uint64_t period = holders.size() + 1;
  std::uint64_t sum = 0;
  for (const Holder& holder : holders) sum += holder.weight;
  turn %= sum;
  // What was due so long before the turn that it was had by then for certain; from there on, one by one.
  const std::uint64_t certain = turn - std::min<std::uint64_t>(turn, holders.size());
  std::uint64_t had = 0;
  for (Holder& holder : holders) {
    const std::uint64_t reached = period * certain * holder.weight;
    const std::uint64_t first = holder.phase * sum;
    if (reached >= first) holder.had = (reached - first) / (period * sum) + 1;
    had += holder.had;
    holder.set_due(period);
  }
  for (; had < turn; ++had) {
    Holder& next = *std::ranges::min_element(holders, {}, [](const Holder& holder) { return *holder.due; });
    ++next.had;
    next.set_due(period);
  }
}

}  // namespace sluice::routing
