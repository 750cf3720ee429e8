#pragma once
// How much thinking a request seems to ask for, from 0 to 1: a sum of features that can each be told. Pure arithmetic
// on whole numbers, so that the same request always has the same score. docs/routing.md lists the weights.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "routing/text_signals.hpp"

namespace sluice::routing {

enum class Feature : std::uint8_t {
  kLength,
  kTurns,
  kTools,
  kCode,
  kReasoning,
  kQuestions,
  kConstraints,
  kMath,
  kJsonSchema
};
inline constexpr std::size_t kFeatures = 9;
std::string_view to_string(Feature feature);  // "length", "turns", …

struct ComplexityInput {
  std::int64_t tokens = 0;  // of the whole prompt
  std::int64_t turns = 0;
  std::int64_t tools = 0;
  bool json_schema = false;
  TextSignals text;
};

struct Complexity {
  std::array<std::uint16_t, kFeatures> parts{};  // what each feature adds, in thousandths
  double score() const;                          // their sum, at most 1
};

Complexity complexity_of(const ComplexityInput& input);

// "0.43: reasoning 0.35, length 0.08"; the largest first.
std::string explain(const Complexity& complexity);
// A score as it is told and compared: at most three decimals.
std::string format_score(double score);

}  // namespace sluice::routing
