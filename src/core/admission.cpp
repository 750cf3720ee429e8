#include "sluice/core/admission.hpp"

#include <array>

namespace sluice {
namespace {

constexpr std::array<std::string_view, kPriorities> kPriorityNames = {"high", "normal", "low"};
constexpr std::array<std::string_view, kMeters> kMeterNames = {"requests", "input_tokens", "output_tokens",
                                                               "tokens",   "concurrency",  "budget"};
constexpr std::array<std::string_view, 4> kPeriodNames = {"day", "week", "month", "total"};

}  // namespace

std::string_view to_string(Priority priority) { return kPriorityNames[static_cast<std::size_t>(priority)]; }
std::string_view to_string(Meter meter) { return kMeterNames[static_cast<std::size_t>(meter)]; }
std::string_view to_string(Period period) { return kPeriodNames[static_cast<std::size_t>(period)]; }

}  // namespace sluice
