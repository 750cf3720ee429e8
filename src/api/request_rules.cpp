#include "api/request_rules.hpp"

#include "sluice/core/text.hpp"

namespace sluice::api {
namespace {

using json::Value;

constexpr std::int64_t kMaxTokens = 2147483647;
constexpr std::int64_t kMaxChoices = 8;
constexpr std::size_t kMaxStops = 4;
constexpr std::size_t kMaxStopBytes = 4096;
constexpr std::size_t kMaxBiases = 1024;
constexpr double kMostScore = 1e9;
constexpr std::size_t kMaxNameBytes = 512;

bool integer_within(Value value, std::int64_t low, std::int64_t high) {
  const std::optional<std::int64_t> number = json::integer_of(value);
  return number && *number >= low && *number <= high;
}

bool number_within(Value value, double low, double high) {
  const std::optional<double> number = json::number_of(value);
  return number && *number >= low && *number <= high;
}

bool is_model(Value value) {
  if (!value.is_string()) return false;
  const std::string name = json::text_of(value);
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
  }
  return !name.empty();
}

bool is_bool(Value value) { return value.is_bool(); }
bool is_object(Value value) { return value.is_object(); }
bool is_text_or_list(Value value) { return value.is_string() || value.is_array(); }
bool is_list(Value value) { return value.is_array() && json::Elements(value).begin() != std::default_sentinel; }
bool is_token_count(Value value) { return integer_within(value, 1, kMaxTokens); }
bool is_choice_count(Value value) { return integer_within(value, 1, kMaxChoices); }
bool is_int64(Value value) { return json::integer_of(value).has_value(); }
bool is_temperature(Value value) { return number_within(value, 0, 2); }
bool is_fraction(Value value) { return number_within(value, 0, 1); }
bool is_penalty(Value value) { return number_within(value, -2, 2); }
bool is_score(Value value) { return number_within(value, -kMostScore, kMostScore); }
bool is_name(Value value) {
  return value.is_string() && !json::text_of(value).empty() && value.raw.size() <= kMaxNameBytes;
}
bool is_string(Value value) { return value.is_string(); }
bool is_encoding(Value value) { return value.raw == "\"float\"" || value.raw == "\"base64\""; }

bool is_stop_text(Value value) {
  if (!value.is_string()) return false;
  const std::size_t size = json::text_of(value).size();
  return size > 0 && size <= kMaxStopBytes;
}

bool is_stop(Value value) {
  if (!value.is_array()) return is_stop_text(value);
  std::size_t count = 0;
  for (const Value stop : json::Elements(value)) {
    if (++count > kMaxStops || !is_stop_text(stop)) return false;
  }
  return true;
}

bool is_bias(Value value) {
  if (!value.is_object()) return false;
  std::size_t count = 0;
  for ([[maybe_unused]] const json::Member& member : json::Members(value)) {
    if (++count > kMaxBiases) return false;
  }
  return true;
}

Result<void> examine_stream_options(Value options, std::string_view body) {
  const std::optional<Value> usage = json::find(options, "include_usage");
  if (!usage || usage->is_null() || usage->is_bool()) return {};
  return invalid_value("stream_options.include_usage", "a boolean or null", *usage, body);
}

void store_model(RequestView& view, Value value) { view.model = json::text_of(value); }
void store_stream(RequestView& view, Value value) { view.stream = value.is_true(); }
void store_stream_options(RequestView& view, Value value) {
  const std::optional<Value> usage = json::find(value, "include_usage");
  view.wants_usage = usage && usage->is_true();
}
void store_encoding(RequestView& view, Value value) {
  view.encoding = value.raw == "\"base64\"" ? Encoding::kBase64 : Encoding::kFloat;
}

constexpr std::string_view kTokenCount = "an integer from 1 to 2147483647";
constexpr std::string_view kTextOrList = "a string or an array";

constexpr FieldRule kModel{
    "model", true, false, is_model, "a string that is not empty and has no control characters", nullptr, store_model};
constexpr FieldRule kStream{"stream", false, true, is_bool, "a boolean or null", nullptr, store_stream};
constexpr FieldRule kStreamOptions{
    "stream_options", false, true, is_object, "an object or null", examine_stream_options, store_stream_options};
constexpr FieldRule kMaxTokensRule{"max_tokens", false, true, is_token_count, kTokenCount};
constexpr FieldRule kTemperature{"temperature", false, true, is_temperature, "a number from 0 to 2"};
constexpr FieldRule kTopP{"top_p", false, true, is_fraction, "a number from 0 to 1"};
constexpr FieldRule kN{"n", false, true, is_choice_count, "an integer from 1 to 8"};
constexpr FieldRule kStop{"stop", false, true, is_stop, "a string of 1 to 4096 bytes, or an array of at most 4"};
constexpr FieldRule kSeed{"seed", false, true, is_int64, "an integer of 64 bits"};
constexpr FieldRule kLogitBias{"logit_bias", false, true, is_bias, "an object of at most 1024 members"};
constexpr FieldRule kFrequency{"frequency_penalty", false, true, is_penalty, "a number from -2 to 2"};
constexpr FieldRule kPresence{"presence_penalty", false, true, is_penalty, "a number from -2 to 2"};

constexpr FieldRule kChat[] = {
    kModel,
    {"messages", true, false, is_list, "an array with at least one message"},
    kStream,
    kStreamOptions,
    kMaxTokensRule,
    {"max_completion_tokens", false, true, is_token_count, kTokenCount},
    kTemperature,
    kTopP,
    kN,
    kStop,
    kSeed,
    kLogitBias,
    kFrequency,
    kPresence,
};
constexpr FieldRule kCompletions[] = {
    kModel,
    // Null is a prompt: the model starts from nothing.
    {"prompt", true, false, [](Value v) { return v.is_null() || is_text_or_list(v); }, "a string, an array or null"},
    kStream,
    kStreamOptions,
    kMaxTokensRule,
    kTemperature,
    kTopP,
    kN,
    kStop,
    kSeed,
    kLogitBias,
    kFrequency,
    kPresence,
};
constexpr FieldRule kEmbeddings[] = {
    kModel,
    {"input", true, false, is_text_or_list, kTextOrList},
    {"encoding_format", false, true, is_encoding, "\"float\", \"base64\" or null", nullptr, store_encoding},
    {"dimensions", false, true, is_token_count, kTokenCount},
};
constexpr FieldRule kResponses[] = {
    kModel,
    {"input", false, true, is_text_or_list, kTextOrList},
    kStream,
    {"stream_options", false, true, is_object, "an object or null"},
    {"max_output_tokens", false, true, is_token_count, kTokenCount},
    kTemperature,
    kTopP,
};
constexpr FieldRule kModerations[] = {
    {"model", false, true, is_model, kModel.wanted, nullptr, store_model},
    {"input", true, false, is_text_or_list, kTextOrList},
};

constexpr std::string_view kIdText = "a string of 1 to 510 bytes";
// Ours: what an app says of an answer. That one of the ids is there is for whoever takes it.
constexpr FieldRule kFeedback[] = {
    {"request_id", false, true, is_name, kIdText},   {"trace_id", false, true, is_name, kIdText},
    {"run_id", false, true, is_name, kIdText},       {"name", false, true, is_name, kIdText},
    {"comment", false, true, is_string, "a string"}, {"value", true, false, is_score, "a number from -1e9 to 1e9"},
};

}  // namespace

std::span<const FieldRule> rules_of(Endpoint endpoint) {
  switch (endpoint) {
    case Endpoint::kChat:
      return kChat;
    case Endpoint::kCompletions:
      return kCompletions;
    case Endpoint::kEmbeddings:
      return kEmbeddings;
    case Endpoint::kResponses:
      return kResponses;
    case Endpoint::kModerations:
      return kModerations;
    case Endpoint::kFeedback:
      return kFeedback;
    default:
      return {};
  }
}

}  // namespace sluice::api
