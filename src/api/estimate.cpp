#include "sluice/api/estimate.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace sluice::api {
namespace {

constexpr std::int64_t kPerMessage = 3;
constexpr std::int64_t kReplyPrimer = 3;
constexpr std::int64_t kPerImage = 1000;
constexpr std::size_t kSmall = 512;  // bytes of a body that is worth a closer look

constexpr std::uint64_t kTops = 0x8080808080808080U;
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
  std::int64_t high = 0;    // bytes that are not ASCII
  std::int64_t others = 0;  // of these, the first of their characters
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto count_word = [&](std::uint64_t word) {
    high += std::popcount(word & kTops);
    others += std::popcount(word & word << 1 & kTops);
  };
  for (; end - at >= 64; at += 64) {
    std::array<std::uint64_t, 8> words{};
    std::memcpy(words.data(), at, 64);
    if (((words[0] | words[1] | words[2] | words[3] | words[4] | words[5] | words[6] | words[7]) & kTops) == 0)
      continue;
    for (const std::uint64_t word : words) count_word(word);
  }
  for (; end - at >= 8; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    count_word(word);
  }
  for (; at != end; ++at) {
    const auto byte = static_cast<unsigned char>(*at);
    high += byte >= 0x80 ? 1 : 0;
    others += byte >= 0xC0 ? 1 : 0;
  }
  return (static_cast<std::int64_t>(text.size()) - high + 3) / 4 + others;
}

std::int64_t reserve_input_tokens(const RequestView& view) {
  const bool plain = view.body.size() > kSmall && !view.has_parts;
  return plain ? estimate_tokens(view.body) : estimate_input_tokens(view);
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
