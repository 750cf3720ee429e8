#include "api/finish_name.hpp"

#include <algorithm>
#include <array>

namespace sluice::api {
namespace {

// OpenAI's finish reasons and response statuses, then what other upstreams say in their place.
constexpr std::array<std::string_view, 22> kKnown = {
    "stop",      "length",      "tool_calls", "content_filter", "function_call", "completed",  "incomplete",
    "failed",    "in_progress", "queued",     "cancelled",      "end_turn",      "max_tokens", "stop_sequence",
    "tool_use",  "eos",         "eos_token",  "model_length",   "abort",         "refusal",    "safety",
    "recitation"};

}  // namespace

std::string finish_name(json::Value reason) {
  std::string name = json::text_of(reason);
  if (!name.empty() && std::ranges::find(kKnown, name) == kKnown.end()) name = "other";
  return name;
}

}  // namespace sluice::api
