#include "routing/complexity.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "sluice/core/text.hpp"

namespace sluice::routing {
namespace {

struct Weight {
  std::string_view name;
  unsigned thousandths;  // what the feature adds at most
  std::int64_t full;     // from this on
};
// By Feature. Together they are more than 1: few requests are long, technical and exacting all at once.
constexpr std::array<Weight, kFeatures> kWeights = {{{"length", 300, 7000},
                                                     {"turns", 100, 12},
                                                     {"tools", 150, 6},
                                                     {"code", 200, 4},
                                                     {"reasoning", 350, 2},
                                                     {"questions", 50, 4},
                                                     {"constraints", 150, 5},
                                                     {"math", 150, 4},
                                                     {"json_schema", 100, 1}}};

constexpr int kShortest = 6;  // log2 of the tokens from which on length counts

// A thousand times the logarithm to base 2, straight between powers of two.
std::int64_t thousand_log2(std::int64_t number) {
  const int power = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(number))) - 1;
  const std::int64_t whole = std::int64_t{1} << power;
  return power * 1000 + (number - whole) * 1000 / whole;
}

// 0 up to 64 tokens, 7000 at 8192.
std::int64_t length_of(std::int64_t tokens) {
  constexpr std::int64_t kMost = std::int64_t{1} << 40;
  return tokens < 1 ? 0 : thousand_log2(std::min(tokens, kMost)) - kShortest * 1000;
}

// Fences come in pairs; code without any counts half as much as a block.
std::int64_t code_of(const TextSignals& text) {
  const std::int64_t blocks = (text.fences + 1) / 2;
  return blocks > 0 ? 2 * blocks : text.languages != 0 ? 1 : 0;
}

std::int64_t amount_of(Feature feature, const ComplexityInput& input) {
  switch (feature) {
    case Feature::kLength:
      return length_of(input.tokens);
    case Feature::kTurns:
      return input.turns - 1;
    case Feature::kTools:
      return input.tools;
    case Feature::kCode:
      return code_of(input.text);
    case Feature::kReasoning:
      return input.text.reasoning;
    case Feature::kQuestions:
      return input.text.questions;
    case Feature::kConstraints:
      return input.text.constraints;
    case Feature::kMath:
      return input.text.math;
    case Feature::kJsonSchema:
      break;
  }
  return input.json_schema ? 1 : 0;
}

}  // namespace

std::string_view to_string(Feature feature) { return kWeights[static_cast<std::size_t>(feature)].name; }

double Complexity::score() const {
  unsigned sum = 0;
  for (const std::uint16_t part : parts) sum += part;
  return std::min(sum, 1000U) / 1000.0;
}

Complexity complexity_of(const ComplexityInput& input) {
  Complexity out;
  for (std::size_t i = 0; i < kFeatures; ++i) {
    const Weight& weight = kWeights[i];
    const std::int64_t amount = std::clamp<std::int64_t>(amount_of(static_cast<Feature>(i), input), 0, weight.full);
    out.parts[i] = static_cast<std::uint16_t>(amount * weight.thousandths / weight.full);
  }
  return out;
}

std::string explain(const Complexity& complexity) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < kFeatures; ++i) {
    if (complexity.parts[i] > 0) order.push_back(i);
  }
  const auto rank = [&](std::size_t i) { return std::pair(-static_cast<int>(complexity.parts[i]), i); };
  std::ranges::sort(order, {}, rank);
  std::string out = format_score(complexity.score());
  for (const std::size_t i : order) {
    out += i == order.front() ? ": " : ", ";
    out.append(kWeights[i].name).append(" ").append(format_score(complexity.parts[i] / 1000.0));
  }
  return out;
}

std::string format_score(double score) {
  const auto thousandths = static_cast<int>(std::lround(score * 1000));
  std::string out;
  append_number(out, thousandths / 1000);
  if (thousandths % 1000 == 0) return out;
  const std::string digits = std::to_string(1000 + thousandths % 1000).substr(1);
  return out + "." + digits.substr(0, digits.find_last_not_of('0') + 1);
}

}  // namespace sluice::routing
