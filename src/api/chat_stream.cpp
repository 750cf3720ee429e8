#include "api/choices.hpp"
#include "api/finish_name.hpp"
#include "api/stream_errors.hpp"
#include "api/usage.hpp"
#include "sluice/api/answer.hpp"
#include "sluice/api/errors.hpp"

namespace sluice::api {
namespace {

using json::Member;
using json::Value;

// The event without some of its members.
std::string without(const std::vector<Member>& members, const Member* first, const Member* second) {
  std::string out = "{";
  for (const Member& member : members) {
    if (&member == first || &member == second) continue;
    if (out.size() > 1) out += ',';
    out += member.raw;
  }
  out += '}';
  return out;
}

bool is_empty_list(Value value) { return json::Elements(value).begin() == std::default_sentinel; }

}  // namespace

struct StreamState::Chunk {
  const Member* choices = nullptr;
  const Member* usage = nullptr;
  const Member* error = nullptr;
  const Member* groq = nullptr;
  const Member* object = nullptr;
  const Member* type = nullptr;

  void take(const Member& member) {
    constexpr std::pair<std::string_view, const Member * Chunk::*> kNames[] = {
        {"choices", &Chunk::choices}, {"usage", &Chunk::usage},   {"error", &Chunk::error},
        {"x_groq", &Chunk::groq},     {"object", &Chunk::object}, {"type", &Chunk::type}};
    // No name is longer; most members of a chunk are sorted out here.
    if (!member.escaped && (member.key.size() < 4 || member.key.size() > 7)) return;
    for (const auto& [name, field] : kNames) {
      if (json::key_is(member, name)) this->*field = &member;
    }
  }
  bool is_error(std::string_view event_type) const {
    if (event_type == "error") return true;
    const bool flat = object != nullptr && object->value.raw == "\"error\"";
    return flat || (type != nullptr && type->value.raw == "\"error\"");
  }
  bool is_ping() const { return type != nullptr && type->value.raw == "\"ping\"" && choices == nullptr; }
};

Result<StreamState::Verdict> StreamState::chat_event(std::string_view type, Value event) {
  if (members_.empty()) return Verdict{Action::kDrop, false, {}};
  Chunk chunk;
  for (const Member& member : members_) chunk.take(member);
  if (chunk.error != nullptr && is_truthy(chunk.error->value)) {
    return std::unexpected(upstream_error_object(chunk.error->value));
  }
  if (chunk.is_error(type)) return std::unexpected(upstream_error_object(event));
  if (chunk.is_ping()) return Verdict{Action::kDrop, false, {}};
  if (chunk.choices != nullptr) {
    if (auto good = read_choices(chunk.choices->value); !good) return std::unexpected(std::move(good.error()));
  }
  if (chunk.groq != nullptr) take_usage(json::find(chunk.groq->value, "usage").value_or(Value{}));
  if (chunk.usage != nullptr) take_usage(chunk.usage->value);
  return judge(chunk);
}

// What of a good chunk may reach the client. Clients take the mere presence of `error` for an error.
StreamState::Verdict StreamState::judge(const Chunk& chunk) const {
  const bool bare = chunk.choices == nullptr || is_empty_list(chunk.choices->value);
  const Member* hidden = nullptr;
  if (options_.hide_usage && chunk.usage != nullptr) {
    if (bare && !chunk.usage->value.is_null()) return {Action::kDrop, false, {}};
    hidden = chunk.usage;
  }
  if (hidden == nullptr && chunk.error == nullptr) return {};
  return {Action::kRewrite, false, without(members_, hidden, chunk.error)};
}

Result<void> StreamState::read_choices(Value choices) {
  if (!choices.is_array()) return invalid_event("choices is not an array");
  bool content = false;
  std::size_t count = 0;
  for (const Value element : json::Elements(choices)) {
    const std::optional<Choice> choice = read_choice_object(element);
    if (!choice) return invalid_event("a choice is malformed");
    if (++count > kMaxChoices) return invalid_event("too many choices");
    if (is_truthy(choice->error) || is_failure_reason(choice->finish_reason.raw)) {
      return std::unexpected(choice_error(*choice));
    }
    content = content || choice->has_content;
    advance_choice(choice->index, choice->finish_reason);
  }
  if (content) ++content_events_;
  return {};
}

void StreamState::advance_choice(std::size_t index, Value reason) {
  if (choices_.size() <= index) choices_.resize(index + 1, Progress::kUnseen);
  if (choices_[index] == Progress::kFinished) return;
  if (!reason.is_string()) {
    choices_[index] = Progress::kStarted;
  } else if (reason.raw == "\"\"") {
    choices_[index] = Progress::kBlank;
  } else {
    choices_[index] = Progress::kFinished;
    if (index == 0 || finish_reason_.empty()) finish_reason_ = finish_name(reason);
  }
}

void StreamState::take_usage(Value usage) { merge_usage(usage_, usage); }

}  // namespace sluice::api
