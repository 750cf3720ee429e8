#pragma once
// One element of `choices`, whole or streamed.

#include <cstddef>
#include <optional>
#include <string_view>

#include "sluice/api/json.hpp"
#include "sluice/core/error.hpp"

namespace sluice::api {

inline constexpr std::size_t kMaxChoices = 128;  // as many as OpenAI lets a request ask for

struct Choice {
  std::size_t index = 0;  // 0 if there was none
  json::Value finish_reason;
  json::Value error;
  bool has_content = false;  // the delta or text holds something to read
};
// Nothing if this is not an object, or its index is not an integer below kMaxChoices.
std::optional<Choice> read_choice_object(json::Value choice);

// Reasons that stand for a failure: "error" and two that providers use for running out of capacity.
bool is_failure_reason(std::string_view raw_reason);
// The error of a choice that failed.
Error choice_error(const Choice& choice);

}  // namespace sluice::api
