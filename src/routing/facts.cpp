#include "routing/facts.hpp"

#include <algorithm>
#include <charconv>

#include "routing/text_sample.hpp"
#include "sluice/api/estimate.hpp"

namespace sluice::routing {
namespace {

using config::Fact;
using json::Value;

constexpr std::size_t kMostUser = 1024;  // bytes that patterns are tried on; the client may write any number of them

config::WordSet bit(unsigned number) { return config::WordSet{1} << number; }

std::int64_t length_of(const json::Member* list) {
  std::int64_t count = 0;
  if (list == nullptr) return count;
  for ([[maybe_unused]] const Value item : json::Elements(list->value)) ++count;
  return count;
}

bool is_schema(std::optional<Value> format) {
  const auto type = format ? json::find(*format, "type") : std::nullopt;
  return type && type->raw == "\"json_schema\"";
}

// Without an error's text, since nobody would read it: what is no duration says nothing.
std::optional<double> read_milliseconds(std::string_view text) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc()) return std::nullopt;
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  if (unit == "ms") return number;
  if (unit == "s") return number * 1000.0;
  if (unit == "m" || unit == "min") return number * 60'000.0;
  return std::nullopt;
}

}  // namespace

std::optional<double> Facts::number(Fact fact) const {
  switch (fact) {
    case Fact::kComplexity:
      return complexity().score();
    case Fact::kInputTokens:
      return static_cast<double>(input_tokens());
    case Fact::kTurns:
      return static_cast<double>(turns());
    case Fact::kTools:
      return static_cast<double>(tools());
    case Fact::kImages:
      return static_cast<double>(media().images);
    case Fact::kAudio:
      return static_cast<double>(media().audio);
    case Fact::kMaxTokens:
      return sources_.view.max_output();
    case Fact::kMaxLatency:
      return max_latency();
    case Fact::kBudgetLeft:
      return sources_.budget_left;
    default:
      return std::nullopt;
  }
}

bool Facts::flag(Fact fact) const { return fact == Fact::kStream ? sources_.view.stream : json_schema(); }

config::WordSet Facts::words(Fact fact) const {
  switch (fact) {
    case Fact::kCode:
      return signals().languages;
    case Fact::kEndpoint:
      return bit(static_cast<unsigned>(sources_.view.endpoint));
    default:
      break;
  }
  const std::chrono::weekday day(std::chrono::floor<std::chrono::days>(sources_.now));
  return bit(day.iso_encoding() - 1);
}

std::string_view Facts::text(Fact fact) const {
  if (fact == Fact::kUser) return sources_.user.substr(0, kMostUser);
  if (sources_.key == nullptr) return {};
  return fact == Fact::kKey ? sources_.key->name : sources_.key->group;
}

std::string_view Facts::tag(const std::string& name) const {
  if (sources_.tags == nullptr) return {};
  const auto found = sources_.tags->find(name);
  return found == sources_.tags->end() ? std::string_view{} : found->second;
}

unsigned Facts::minute() const {
  const auto today = std::chrono::floor<std::chrono::days>(sources_.now);
  return static_cast<unsigned>(std::chrono::floor<std::chrono::minutes>(sources_.now - today).count());
}

const Complexity& Facts::complexity() const {
  if (!complexity_) {
    complexity_ = complexity_of({.tokens = input_tokens(),
                                 .turns = turns(),
                                 .tools = tools(),
                                 .json_schema = json_schema(),
                                 .text = signals()});
  }
  return *complexity_;
}

const TextSignals& Facts::signals() const {
  if (!signals_) signals_ = read_signals(TextSample(sources_.view).text());
  return *signals_;
}

std::int64_t Facts::input_tokens() const {
  if (!input_tokens_) input_tokens_ = api::reserve_input_tokens(sources_.view);
  return *input_tokens_;
}

std::int64_t Facts::turns() const {
  const api::RequestView& view = sources_.view;
  if (view.endpoint == Endpoint::kChat) return static_cast<std::int64_t>(view.messages);
  if (view.endpoint != Endpoint::kResponses) return 1;
  const json::Member* input = view.member("input");
  return input != nullptr && input->value.is_string() ? 1 : length_of(input);
}

std::int64_t Facts::tools() const {
  if (!tools_) tools_ = length_of(sources_.view.member("tools")) + length_of(sources_.view.member("functions"));
  return *tools_;
}

bool Facts::json_schema() const {
  if (const auto* format = sources_.view.member("response_format")) return is_schema(format->value);
  const auto* text = sources_.view.member("text");
  return text != nullptr && is_schema(json::find(text->value, "format"));
}

std::optional<double> Facts::max_latency() const {
  return sources_.head == nullptr ? std::nullopt : read_milliseconds(sources_.head->get(kMaxLatencyHeader));
}

const Media& Facts::media() const {
  if (media_) return *media_;
  media_.emplace();
  if (!sources_.view.has_parts) return *media_;
  for (const std::string_view list : {"messages", "input"}) {
    const json::Member* items = sources_.view.member(list);
    if (items == nullptr) continue;
    for (const Value item : json::Elements(items->value)) {
      if (const auto content = json::find(item, "content")) count_media(*content);
    }
  }
  return *media_;
}

void Facts::count_media(Value content) const {
  for (const Value part : json::Elements(content)) {
    const auto type = json::find(part, "type");
    if (!type) continue;
    if (type->raw == "\"image_url\"" || type->raw == "\"input_image\"") ++media_->images;
    if (type->raw == "\"input_audio\"") ++media_->audio;
  }
}

}  // namespace sluice::routing
