#include "cache/worth.hpp"

#include <algorithm>
#include <functional>

#include "cache/recast.hpp"
#include "sluice/sse/decoder.hpp"

namespace sluice::cache {
namespace {

bool allows(const config::CacheRules& rules, std::string_view reason) {
  // The Responses API has a status instead.
  return reason == "completed" || std::ranges::find(*rules.finish_reasons, reason) != rules.finish_reasons->end();
}

// Of each choice, and of each of its pieces.
bool choices_are_fine(json::Value answer, const config::CacheRules& rules) {
  const auto choices = json::find(answer, "choices");
  for (const json::Value choice : json::Elements(choices.value_or(json::Value{}))) {
    const auto reason = json::find(choice, "finish_reason");
    if (reason && reason->is_string() && !allows(rules, json::text_of(*reason))) return false;
  }
  return true;
}

// Only requests with tools get calls; of those each answer is looked at, whatever reason it gives for its end.
bool calls_tools(json::Value answer) {
  const auto has = [](json::Value message) {
    const auto calls = json::find(message, "tool_calls");
    const auto call = json::find(message, "function_call");
    const bool any = calls && json::Elements(*calls).begin() != json::Elements(*calls).end();
    return any || (call && call->is_object());
  };
  for (const json::Value choice : json::Elements(json::find(answer, "choices").value_or(json::Value{}))) {
    for (const std::string_view name : {"message", "delta"}) {
      if (const auto message = json::find(choice, name); message && has(*message)) return true;
    }
  }
  for (const json::Value item : json::Elements(json::find(answer, "output").value_or(json::Value{}))) {
    const std::string type = json::text_of(json::find(item, "type").value_or(json::Value{}));
    if (type.ends_with("_call")) return true;
  }
  return false;
}

// False: `holds` is false of some part.
bool all_of_parts(const pipeline::Exchange& exchange, const Entry& entry,
                  const std::function<bool(json::Value)>& holds) {
  if (entry.form == Entry::Form::kBody) {
    const auto answer = json::check(entry.body, json::Surrogates::kAny);
    return answer && holds(*answer);
  }
  if (exchange.endpoint == Endpoint::kResponses) {
    const auto body = body_of(exchange.endpoint, entry.body, {});
    const auto answer = body ? json::check(*body) : std::unexpected(json::Fault{});
    return answer && holds(*answer);
  }
  sse::Decoder decoder(entry.body.size() + 1);
  bool good = true;
  const auto take = [&](const sse::Event& event) {
    const auto chunk = json::check(event.data, json::Surrogates::kAny);
    return good = chunk && holds(*chunk);
  };
  return decoder.feed(entry.body, take) && good;
}

bool has_tools(const api::RequestView& view) {
  return view.member("tools") != nullptr || view.member("functions") != nullptr;
}

}  // namespace

std::string_view why_not_kept(const pipeline::Exchange& exchange, const Entry& entry, const config::CacheRules& rules) {
  if (exchange.substituted) return "substituted";
  if (entry.body.size() > *rules.max_entry) return "too_large";
  if (exchange.endpoint == Endpoint::kEmbeddings) return {};
  if (!allows(rules, entry.finish_reason)) return "finish_reason";
  // There may be more choices than `n` asks for: one for each prompt of a list, or as many as an upstream likes.
  const bool has_choices = exchange.endpoint != Endpoint::kResponses;
  const bool may_not_call = has_tools(*exchange.view) && !*rules.tool_calls;
  if (!has_choices && !may_not_call) return {};
  bool calls = false;
  const bool fine = all_of_parts(exchange, entry, [&](json::Value part) {
    calls = calls || (may_not_call && calls_tools(part));
    return !has_choices || choices_are_fine(part, rules);
  });
  if (!fine && has_choices) return "finish_reason";
  return !fine || calls ? "tool_calls" : "";
}

}  // namespace sluice::cache
