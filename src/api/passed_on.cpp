#include "sluice/api/passed_on.hpp"

#include <algorithm>
#include <array>

#include "sluice/core/text.hpp"

namespace sluice::api {
namespace {

constexpr std::string_view kBeta = "openai-beta";

}  // namespace

bool is_passed_on(std::string_view field) {
  constexpr std::array<std::string_view, 4> kFields = {kBeta, "x-client-request-id", "http-referer", "x-title"};
  return std::ranges::any_of(kFields, [&](std::string_view name) { return equals_ignore_case(name, field); });
}

bool shapes_answer(std::string_view field) { return equals_ignore_case(kBeta, field); }

}  // namespace sluice::api
