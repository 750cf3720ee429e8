#include "sluice/api/estimate.hpp"

namespace sluice::api {
namespace {

constexpr std::int64_t kPerMessage = 3;
constexpr std::int64_t kReplyPrimer = 3;
constexpr std::int64_t kPerImage = 1000;

std::int64_t tokens_in(json::Value value);

std::int64_t tokens_in_part(json::Value part) {
  std::int64_t tokens = 0;
  for (const json::Member& member : json::Members(part)) {
    if (json::key_is(member, "text")) tokens += tokens_in(member.value);
    if (json::key_is(member, "image_url")) tokens += kPerImage;
  }
  return tokens;
}

// A string, a list of token numbers, or a list of strings or content parts.
std::int64_t tokens_in(json::Value value) {
  if (value.is_string()) return estimate_tokens(value.raw.substr(1, value.raw.size() - 2));
  std::int64_t tokens = 0;
  for (json::Value item : json::Elements(value)) {
    if (item.is_number())
      ++tokens;
    else if (item.is_object())
      tokens += tokens_in_part(item);
    else if (item.is_string())
      tokens += tokens_in(item);
    else
      tokens += static_cast<std::int64_t>(item.raw.size() / 4);
  }
  return tokens;
}

std::int64_t tokens_in_messages(json::Value messages) {
  std::int64_t tokens = kReplyPrimer;
  for (json::Value message : json::Elements(messages)) {
    tokens += kPerMessage;
    for (const json::Member& member : json::Members(message)) {
      if (json::key_is(member, "content")) tokens += tokens_in(member.value);
      if (json::key_is(member, "tool_calls")) tokens += estimate_tokens(member.value.raw);
    }
  }
  return tokens;
}

}  // namespace

std::int64_t estimate_tokens(std::string_view text) {
  std::int64_t ascii = 0;
  std::int64_t others = 0;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    ascii += byte < 0x80 ? 1 : 0;
    others += byte >= 0xC0 ? 1 : 0;
  }
  return (ascii + 3) / 4 + others;
}

std::int64_t estimate_input_tokens(const RequestView& view) {
  std::int64_t tokens = 0;
  if (auto* messages = view.member("messages")) tokens += tokens_in_messages(messages->value);
  for (std::string_view name : {"prompt", "input", "instructions"}) {
    if (auto* text = view.member(name)) tokens += tokens_in(text->value);
  }
  if (auto* tools = view.member("tools")) tokens += estimate_tokens(tools->value.raw);
  return tokens;
}

}  // namespace sluice::api
