// A streamed answer (F32 to F35, F48): what the client gets does not depend on the packets, consists of the upstream's
// own events, and says that the answer is complete only if the upstream's events say so.

#include "routing/event_filter.hpp"

#include <map>
#include <nlohmann/json.hpp>

#include "fuzz/fuzz.hpp"
#include "fuzz/sse_reference.hpp"

namespace sluice::fuzz {
namespace {

using Tree = nlohmann::json;

constexpr std::size_t kLimits[] = {1 << 20, 100};

struct Outcome {
  std::string out;
  std::string error;
  bool complete = false;
  bool operator==(const Outcome&) const = default;
};

Outcome filtered(const Input& input, api::StreamState::Options options, std::size_t limit) {
  routing::EventFilter filter(options, limit);
  Outcome outcome;
  Result<void> good;
  input.each_piece([&](std::span<char> piece) {
    good = filter.feed({piece.data(), piece.size()}, outcome.out);
    return good && !filter.complete();
  });
  if (good && !filter.complete()) good = filter.finish(outcome.out);
  if (!good) outcome.error = traits(good.error().kind).code;
  outcome.complete = filter.complete();
  require(!good || outcome.complete, "a stream without an error is complete");
  require(good || !outcome.complete, "one with an error is not");
  const auto sent = sse_reference(outcome.out, SIZE_MAX).events;
  require(sent.size() == filter.events(), "events are counted as they are sent");
  if (!good) {
    const std::string failure = filter.state().failure_event(good.error());
    require(sse_reference(failure, SIZE_MAX).events.size() == 1, "a failure is told in one event");
  }
  return outcome;
}

std::string_view without_spaces(std::string_view data) {
  while (data.ends_with(' ')) data.remove_suffix(1);
  return data;
}
bool is_done(const SseEvent& event) { return without_spaces(event.data) == "[DONE]"; }

// Both parsers know half of a surrogate pair when they see it, only one of them takes it: U+FFFD stands for it here.
Tree tree_of(std::string_view data) {
  if (Tree tree = Tree::parse(data, nullptr, false); !tree.is_discarded()) return tree;
  std::string text;
  for (std::size_t i = 0; i < data.size(); ++i) {
    const bool surrogate = data[i] == '\\' && (data.substr(i, 3) == "\\ud" || data.substr(i, 3) == "\\uD");
    text += data[i];
    if (data[i] != '\\' || i + 1 == data.size()) continue;
    text += data[++i];
    if (!surrogate || i + 2 >= data.size() || data[i + 2] < '8') continue;
    text += "fffd";
    i += 4;
  }
  return Tree::parse(text, nullptr, false);
}

// Whether `sent` is what came, as it came or with some members left out.
bool comes_from(const SseEvent& sent, const SseEvent& came) {
  if (sent.data == came.data) return true;
  if (is_done(sent) && is_done(came)) return true;
  const Tree part = tree_of(sent.data), whole = tree_of(came.data);
  if (!part.is_object() || !whole.is_object()) return false;
  for (const auto& [name, value] : part.items()) {
    if (!whole.contains(name) || whole[name] != value) return false;
  }
  return true;
}

// What chat events say about their answer's end, read anew.
struct Ending {
  std::map<int, std::string> reasons;  // of each choice that was seen; "" is none, " " is an empty one
  void take(const SseEvent& event) {
    const Tree tree = tree_of(event.data);
    if (!tree.is_object() || !tree.contains("choices") || event.type == "ping") return;
    for (const Tree& choice : tree["choices"]) {
      const int index = choice.contains("index") ? static_cast<int>(choice["index"].get<double>()) : 0;
      std::string& reason = reasons[index];
      if (!reason.empty() && reason != " ") continue;
      const bool text = choice.contains("finish_reason") && choice["finish_reason"].is_string();
      reason = text ? choice["finish_reason"].get<std::string>() : "";
      if (text && reason.empty()) reason = " ";
    }
  }
  bool finished(bool by_done) const {
    for (const auto& [index, reason] : reasons) {
      if (reason.empty() || (reason == " " && !by_done)) return false;
    }
    return !reasons.empty();
  }
};

void check_chat(const Outcome& outcome, const std::vector<SseEvent>& came) {
  if (outcome.complete) {
    Ending ending;
    bool done = false;
    for (const SseEvent& event : came) {
      done = is_done(event) && event.type != "ping";
      if (done) break;
      ending.take(event);
    }
    require(ending.finished(done), "an answer is complete only if all its choices are finished");
  }
  const auto sent = sse_reference(outcome.out, SIZE_MAX).events;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    require(sent[i].type.empty(), "no types in a chat");
    require((sent[i].data == "[DONE]") == (outcome.complete && i + 1 == sent.size()), "[DONE] is the last of all");
    if (sent[i].data == "[DONE]") continue;
    const Tree tree = tree_of(sent[i].data);
    require(tree.is_object() && !tree.contains("error"), "what is sent is an object without an error");
  }
}

void check_responses(const Outcome& outcome, const std::vector<SseEvent>& came) {
  const auto is_terminal = [](const SseEvent& event) {
    const Tree tree = tree_of(event.data);
    const bool named = tree.is_object() && tree.contains("type") && tree["type"].is_string() && tree["type"] != "";
    const std::string type = named ? tree["type"].get<std::string>() : event.type;
    return tree.is_object() &&
           (type == "response.completed" || type == "response.incomplete" || type == "response.failed");
  };
  require(!outcome.complete || std::ranges::any_of(came, is_terminal), "an answer is complete only if it says so");
}

void check_origin(const Outcome& outcome, const std::vector<SseEvent>& came) {
  auto next = came.begin();
  const auto sent = sse_reference(outcome.out, SIZE_MAX).events;
  for (const SseEvent& event : sent) {
    while (next != came.end() && !comes_from(event, *next)) ++next;
    if (next == came.end()) require(event.data == "[DONE]" && &event == &sent.back(), "nothing is made up");
    if (next != came.end()) ++next;
  }
}

}  // namespace

void test(const Input& input) {
  for (const std::size_t limit : kLimits) {
    const auto came = sse_reference(input.bytes, limit).events;
    for (const Endpoint endpoint : {Endpoint::kChat, Endpoint::kResponses}) {
      for (const bool hide : {false, true}) {
        const api::StreamState::Options options{.endpoint = endpoint, .hide_usage = hide};
        const Outcome whole = filtered({input.bytes}, options, limit);
        require(filtered(input, options, limit) == whole, "packets make no difference");
        if (!hide) require(filtered(byte_by_byte(input.bytes), options, limit) == whole, "nor do single bytes");
        check_origin(whole, came);
        endpoint == Endpoint::kChat ? check_chat(whole, came) : check_responses(whole, came);
      }
    }
  }
}

}  // namespace sluice::fuzz
