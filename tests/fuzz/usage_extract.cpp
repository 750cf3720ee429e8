// Token counts in answers and stream events (F49): clamped, never negative, never added up, the same whether an answer
// comes whole or as an event.

#include <nlohmann/json.hpp>

#include "fuzz/fuzz.hpp"
#include "sluice/api/answer.hpp"

namespace sluice::fuzz {
namespace {

using Tree = nlohmann::ordered_json;

constexpr std::int64_t kMost = std::int64_t{1} << 53;

bool equal(const Usage& a, const Usage& b) {
  return a.input == b.input && a.output == b.output && a.cached == b.cached && a.cache_write == b.cache_write &&
         a.reasoning == b.reasoning && a.source == b.source && a.anomalous == b.anomalous;
}

void check(const Usage& usage) {
  for (const std::int64_t count : {usage.input, usage.output, usage.cached, usage.cache_write, usage.reasoning}) {
    require(count >= 0 && count <= kMost, "a count is neither negative nor huge");
  }
  const bool any = usage.input + usage.output + usage.cached + usage.cache_write + usage.reasoning > 0;
  require(!any || usage.source == UsageSource::kReported, "what is counted was reported");
}

// The last of the two names that holds a number, clamped; 0 if neither does.
std::int64_t plain_count(const Tree& usage, const char* one, const char* other) {
  std::int64_t count = 0;
  for (const auto& [name, value] : usage.items()) {
    if ((name != one && name != other) || !value.is_number()) continue;
    const auto number = value.get<double>();
    count = number <= 0 ? 0 : number >= static_cast<double>(kMost) ? kMost : static_cast<std::int64_t>(number);
  }
  return count;
}

void compare(json::Value object, std::string_view text) {
  const Usage usage = api::read_usage(object);
  check(usage);
  const Tree tree = Tree::parse(text, nullptr, false);
  if (!tree.is_object()) return;  // lone surrogates
  require(usage.output == plain_count(tree, "completion_tokens", "output_tokens"), "output as reported, or clamped");
  const std::int64_t input = plain_count(tree, "prompt_tokens", "input_tokens");
  const bool total_only = input == 0 && tree.contains("total_tokens");
  require(total_only || usage.input == input, "input as reported, or clamped");
}

Usage streamed(api::StreamState::Options options, std::string_view event, int times) {
  api::StreamState state(options);
  for (int i = 0; i < times; ++i) {
    if (auto verdict = state.event({}, event); !verdict) break;
  }
  check(state.usage());
  return state.usage();
}

void try_endpoint(Endpoint endpoint, std::string_view text) {
  const auto answer = api::inspect_answer(endpoint, text);
  if (answer) check(answer->usage);
  const Usage once = streamed({.endpoint = endpoint}, text, 1);
  require(equal(once, streamed({.endpoint = endpoint}, text, 2)), "usage that comes twice is not added up");
  require(equal(once, streamed({.endpoint = endpoint, .hide_usage = true}, text, 1)), "what is hidden counts");
  const bool seen = once.source != UsageSource::kNone;
  if (answer && seen && endpoint != Endpoint::kResponses) {
    require(equal(answer->usage, once), "whole or streamed, the counts are the same");
  }
}

}  // namespace

void test(const Input& input) {
  for (const Endpoint endpoint :
       {Endpoint::kChat, Endpoint::kCompletions, Endpoint::kEmbeddings, Endpoint::kResponses, Endpoint::kModerations}) {
    try_endpoint(endpoint, input.bytes);
  }
  const auto value = json::check(input.bytes, json::Surrogates::kAny);
  if (value && value->is_object()) compare(*value, input.bytes);
}

}  // namespace sluice::fuzz
