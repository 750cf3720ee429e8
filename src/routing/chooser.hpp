#pragma once
// In which order the targets of a model are tried. Pure; any thread; no allocation for up to 64 targets.

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <optional>
#include <span>

#include "sluice/config/routing.hpp"

namespace sluice::routing {

// kOrdered: as they stand in the configuration. kWeighted: in turn, each as often as its weight says, evenly mixed.
// kLeastBusy: the fewest requests under way per weight. kLowestLatency: of two drawn at random, the one with the lower
// load score. kLowestCost: the lowest price; among equals the lower load score. kSticky: the same key, the same target;
// each has a share of the keys as large as its weight, and where a target comes or goes, only its own share moves.
using config::Strategy;

struct Candidate {
  std::uint32_t tier = 0;           // lower ones first, whatever the strategy
  std::uint32_t weight = 1;         // to a million; 0: only after the others of its tier, where weights matter
  double ramp = 1;                  // Breaker::ramp
  std::optional<double> latency{};  // PeakEwma::value; unknown: as good as the best of its tier, so it is tried
  std::uint32_t in_flight = 0;      // requests under way
  std::int64_t price = 0;           // any unit, the same for all
  std::uint64_t identity = 0;       // kSticky: the same in every process
  bool available = true;            // otherwise it is left out
};

// What a choice draws on besides.
struct Draw {
  std::uint64_t turn = 0;    // counts the choices of this model; one atomic of all workers
  std::uint64_t random = 0;  // 64 bits
  std::uint64_t key = 0;     // kSticky: a stable hash of what sticks
};

using Order = boost::container::small_vector<std::uint32_t, 64>;

// The indices of the available candidates, the best first, the others as fallbacks after it: the best four of a tier
// in order, those beyond in any. While a target is in slow start it is passed over, up to the end of its tier, as often
// as its ramp says; kWeighted and kLeastBusy lower its weight and kLowestLatency raises its score instead.
Order choose(std::span<const Candidate> candidates, Strategy strategy, const Draw& draw);

}  // namespace sluice::routing
