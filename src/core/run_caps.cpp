#include "sluice/core/run_caps.hpp"

#include "sluice/core/money.hpp"
#include "sluice/core/text.hpp"

namespace sluice {

std::string_view to_string(Cap cap) {
  constexpr std::array<std::string_view, kCaps> kNames = {"turns",    "cost_usd",     "tokens",        "duration_s",
                                                          "parallel", "same_request", "same_tool_call"};
  return kNames[place_of(cap)];
}

std::string cap_amount(Cap cap, std::int64_t amount) {
  if (cap == Cap::kCost) return to_decimal(Money::nanodollars(amount));
  std::string out;
  if (cap != Cap::kDuration) {
    append_number(out, amount);
    return out;
  }
  append_number(out, amount / 1000);
  const std::string thousandths = std::to_string(1000 + amount % 1000);
  return amount % 1000 == 0 ? out : out.append(".").append(thousandths, 1);
}

}  // namespace sluice
