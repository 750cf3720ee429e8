#include "routing/chooser.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "routing/interleave.hpp"
#include "routing/peak_ewma.hpp"
#include "routing/random.hpp"

namespace sluice::routing {
namespace {

constexpr std::size_t kInOrder = 4;  // of a tier; nobody asks more of them for one request
constexpr std::size_t kMostInterleaved = 16;
constexpr double kTenths = 10;  // steps of a ramp: a weight that changed all the time would spoil the turns
constexpr std::uint32_t kMostCandidateWeight = 1'000'000;

struct Ranked {
  const Candidate* candidate = nullptr;
  std::uint32_t index = 0;
  bool passed_over = false;
  double rank = 0;    // lower is better
  double second = 0;  // among equals

  bool operator<(const Ranked& other) const {
    if (passed_over != other.passed_over) return other.passed_over;
    if (rank != other.rank) return rank < other.rank;
    return second != other.second ? second < other.second : index < other.index;
  }
};
using Tier = std::span<Ranked>;

// The finisher of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
std::uint64_t mixed(std::uint64_t word) {
  word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9U;
  word = (word ^ word >> 27) * 0x94d049bb133111ebU;
  return word ^ word >> 31;
}

void pass_over_ramping(Tier tier, const Draw& draw) {
  const double drawn = uniform(draw.random);
  for (Ranked& one : tier) one.passed_over = drawn >= one.candidate->ramp;
}

// Unknown latencies are as the lowest that is known.
void rank_by_load(Tier tier, double Ranked::* rank) {
  double lowest = 0;
  for (const Ranked& one : tier) {
    if (const auto latency = one.candidate->latency; latency && (lowest == 0 || *latency < lowest)) lowest = *latency;
  }
  if (lowest == 0) lowest = 1;
  for (Ranked& one : tier) {
    const Candidate& candidate = *one.candidate;
    one.*rank = load_score(candidate.latency.value_or(lowest), candidate.in_flight) / std::max(candidate.ramp, 1e-3);
  }
}

// Where interleaving would take too long: turns as evenly spread as multiples of the golden ratio are (van der Corput,
// Steinhaus), which is each as often as its weight says, to within a turn or two.
void rank_by_sequence(Tier tier, std::span<const std::uint32_t> weights, const Draw& draw) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  double left = uniform(draw.turn * 0x9e3779b97f4a7c15U) * sum;
  std::size_t first = 0;
  while (first + 1 < tier.size() && left >= weights[first]) left -= weights[first++];
  for (std::size_t i = 0; i < tier.size(); ++i) {
    const bool has_turns = weights[i] > 0;
    tier[i].rank = static_cast<double>((i + tier.size() - first) % tier.size() + (has_turns ? 0 : tier.size()));
  }
}

void rank_weighted(Tier tier, const Draw& draw) {
  boost::container::small_vector<std::uint32_t, 64> weights;
  boost::container::small_vector<double, 64> due(tier.size());
  for (const Ranked& one : tier) {
    const auto tenths = static_cast<std::uint32_t>(std::clamp(std::round(one.candidate->ramp * kTenths), 1.0, kTenths));
    weights.push_back(std::min(one.candidate->weight, kMostCandidateWeight) * tenths);
  }
  if (tier.size() > kMostInterleaved) return rank_by_sequence(tier, weights, draw);
  interleave(weights, draw.turn, due);
  for (std::size_t i = 0; i < tier.size(); ++i) tier[i].rank = due[i];
}

void rank_least_busy(Tier tier, const Draw& draw) {
  for (std::size_t i = 0; i < tier.size(); ++i) {
    const Candidate& candidate = *tier[i].candidate;
    tier[i].rank = load_score(1, candidate.in_flight) / (candidate.weight * candidate.ramp);
    // Equals go round.
    tier[i].second = static_cast<double>((i + tier.size() - draw.turn % tier.size()) % tier.size());
  }
}

// Two choices spread the load where the best one of all would draw it all at once (Mitzenmacher: "The power of two
// choices in randomized load balancing").
void rank_lowest_latency(Tier tier, const Draw& draw) {
  rank_by_load(tier, &Ranked::rank);
  if (tier.size() < 3) {
    // Two are always both drawn; equals take turns.
    if (tier.size() == 2) tier[draw.random % 2].second = 1;
    return;
  }
  const std::size_t a = static_cast<std::uint32_t>(draw.random) % tier.size();
  std::size_t b = (draw.random >> 32) % (tier.size() - 1);
  if (b >= a) ++b;
  tier[tier[b].rank < tier[a].rank ? b : a].rank = -1;
}

void rank_lowest_cost(Tier tier, const Draw& draw) {
  rank_by_load(tier, &Ranked::second);
  for (Ranked& one : tier) one.rank = static_cast<double>(one.candidate->price);
  pass_over_ramping(tier, draw);
}

// Weighted rendezvous hashing (Schindelhauer, Schomaker: "Weighted distributed hash tables"): each target draws an
// exponentially distributed number from the key, with its weight as the rate. The lowest wins.
void rank_sticky(Tier tier, const Draw& draw) {
  const auto weight = [](const Ranked& one) { return one.candidate->weight; };
  const bool equal = std::ranges::all_of(tier, [&](const Ranked& one) { return weight(one) == weight(tier.front()); });
  for (Ranked& one : tier) {
    const double drawn = uniform(mixed(draw.key + mixed(one.candidate->identity))) + 0x1p-54;
    // Of equal weights the highest draw wins, without a logarithm each.
    one.rank = equal && weight(one) > 0 ? -drawn : -std::log(drawn) / weight(one);
  }
  pass_over_ramping(tier, draw);
}

void rank(Tier tier, Strategy strategy, const Draw& draw) {
  switch (strategy) {
    case Strategy::kOrdered:
      return pass_over_ramping(tier, draw);
    case Strategy::kWeighted:
      return rank_weighted(tier, draw);
    case Strategy::kLeastBusy:
      return rank_least_busy(tier, draw);
    case Strategy::kLowestLatency:
      return rank_lowest_latency(tier, draw);
    case Strategy::kLowestCost:
      return rank_lowest_cost(tier, draw);
    case Strategy::kSticky:
      return rank_sticky(tier, draw);
  }
  std::unreachable();
}

}  // namespace

Order choose(std::span<const Candidate> candidates, Strategy strategy, const Draw& draw) {
  boost::container::small_vector<Ranked, 64> all;
  for (std::uint32_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i].available) all.push_back({.candidate = &candidates[i], .index = i});
  }
  Tier rest(all.data(), all.size());
  const auto place = [](const Ranked& one) { return std::pair(one.candidate->tier, one.index); };
  if (!std::ranges::is_sorted(rest, {}, place)) std::ranges::sort(rest, {}, place);
  Order order;
  while (!rest.empty()) {
    const std::uint32_t number = rest.front().candidate->tier;
    const auto end = std::ranges::find_if(rest, [&](const Ranked& one) { return one.candidate->tier != number; });
    const Tier tier = rest.first(static_cast<std::size_t>(end - rest.begin()));
    rank(tier, strategy, draw);
    const auto in_order = static_cast<std::ptrdiff_t>(std::min(tier.size(), kInOrder));
    std::partial_sort(tier.begin(), tier.begin() + in_order, tier.end());
    for (const Ranked& one : tier) order.push_back(one.index);
    rest = rest.subspan(tier.size());
  }
  return order;
}

}  // namespace sluice::routing
