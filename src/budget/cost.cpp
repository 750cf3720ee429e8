#include "sluice/budget/cost.hpp"

#include <algorithm>
#include <limits>

namespace sluice::budget {
namespace {

// Of pico-dollars. Holds a few products of two 63-bit numbers.
using Wide = unsigned __int128;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr Wide kPicoPerNano = 1000;

Wide times(std::int64_t tokens, Price price) {
  if (tokens <= 0 || price.picodollars() <= 0) return 0;
  return static_cast<Wide>(tokens) * static_cast<Wide>(price.picodollars());
}

Money rounded_up(Wide pico, Money per_request) {
  const Wide nano = pico / kPicoPerNano + (pico % kPicoPerNano != 0 ? 1 : 0);
  const Money tokens = Money::nanodollars(nano > Wide{kMost} ? kMost : static_cast<std::int64_t>(nano));
  return tokens + std::max(per_request, Money());
}

// At most as much of `whole` as it still holds; takes it out.
std::int64_t take(std::int64_t& whole, std::int64_t part) {
  part = std::clamp(part, std::int64_t{0}, whole);
  whole -= part;
  return part;
}

std::int64_t product(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  return __builtin_mul_overflow(a, b, &result) ? kMost : result;
}

}  // namespace

Money cost_of(const config::PriceRow& price, const Usage& usage) {
  std::int64_t input = std::max<std::int64_t>(usage.input, 0);
  std::int64_t output = std::max<std::int64_t>(usage.output, 0);
  const std::int64_t cached = take(input, usage.cached);
  const std::int64_t cache_write = take(input, usage.cache_write);
  const std::int64_t reasoning = take(output, usage.reasoning);
  const Wide pico = times(input, price.input) + times(cached, price.cached_input.value_or(price.input)) +
                    times(cache_write, price.cache_write.value_or(price.input)) + times(output, price.output) +
                    times(reasoning, price.reasoning.value_or(price.output));
  return rounded_up(pico, price.per_request);
}

// Which tokens are cached, written to the cache or reasoning is not known before: all of them are the dearest kind.
Money worst_case(const config::PriceRow& price, std::int64_t input_estimate, std::int64_t max_output,
                 std::int64_t choices) {
  const Price input =
      std::max({price.input, price.cached_input.value_or(price.input), price.cache_write.value_or(price.input)});
  const Price output = std::max(price.output, price.reasoning.value_or(price.output));
  const std::int64_t tokens = product(std::max<std::int64_t>(max_output, 0), std::max<std::int64_t>(choices, 1));
  return rounded_up(times(input_estimate, input) + times(tokens, output), price.per_request);
}

}  // namespace sluice::budget
