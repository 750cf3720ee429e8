#include "routing/text_sample.hpp"

#include <algorithm>

#include "sluice/core/text.hpp"

namespace sluice::routing {
namespace {

constexpr std::size_t kMostParts = 256;  // of one content that are looked at

std::string_view inside(json::Value string) { return string.raw.substr(1, string.raw.size() - 2); }

bool is_users(json::Value item) {
  const auto role = json::find(item, "role");
  return role && role->raw == "\"user\"";
}

unsigned hex4(std::string_view digits) {
  unsigned code = 0;
  for (const char digit : digits.substr(0, 4)) code = code << 4 | static_cast<unsigned>(std::max(hex_value(digit), 0));
  return code;
}

}  // namespace

TextSample::TextSample(const api::RequestView& view) {
  if (view.endpoint == Endpoint::kChat) {
    add(view.first_user);
    if (view.last_user.raw.data() != view.first_user.raw.data()) add(view.last_user);
    return;
  }
  for (const std::string_view name : {"prompt", "input"}) {
    const json::Member* member = view.member(name);
    if (member == nullptr) continue;
    const bool messages = view.endpoint == Endpoint::kResponses && member->value.is_array();
    messages ? add_items(member->value) : add(member->value);
  }
}

// Of the items of a response's input, those that the user says.
void TextSample::add_items(json::Value items) {
  json::Value first;
  json::Value last;
  for (const json::Value item : json::Elements(items)) {
    if (!item.is_object() || !is_users(item)) continue;
    const auto content = json::find(item, "content");
    if (!content) continue;
    if (first.raw.empty()) first = *content;
    last = *content;
  }
  add(first);
  if (last.raw.data() != first.raw.data()) add(last);
}

void TextSample::add(json::Value content) {
  std::size_t room = kMostOfOneText;
  if (content.is_string()) return add_piece(content, room);
  std::size_t parts = 0;
  for (const json::Value part : json::Elements(content)) {
    if (room == 0 || ++parts > kMostParts) return;
    if (part.is_string()) {
      add_piece(part, room);
    } else if (const auto text = json::find(part, "text"); text && text->is_string()) {
      add_piece(*text, room);
    }
  }
}

void TextSample::add_piece(json::Value string, std::size_t& room) {
  const std::string_view raw = inside(string);
  if (raw.size() <= room) {
    copy(raw);
    room -= raw.size();
    return;
  }
  copy(raw.substr(0, room / 2));
  copy(raw.substr(raw.size() - room / 2));
  room = 0;
}

// An escape is never shorter than what it stands for.
void TextSample::copy(std::string_view raw) {
  const std::size_t start = size_;
  while (!raw.empty()) {
    const std::size_t run = std::min(raw.find('\\'), raw.size());
    copy_run(raw.substr(0, run));
    raw.remove_prefix(run);
    if (raw.empty()) break;
    raw.remove_prefix(1);
    copy_escape(raw);
  }
  lower_from(start);
  put('\n');
}

void TextSample::copy_run(std::string_view run) {
  const std::size_t count = std::min(run.size(), buffer_.size() - size_);
  std::transform(run.data(), run.data() + count, buffer_.data() + size_, ascii_lower);
  size_ += count;
}

void TextSample::copy_escape(std::string_view& raw) {
  if (raw.empty()) return;
  const char c = raw.front();
  raw.remove_prefix(1);
  if (c == 'u') {
    put_code_point(hex4(raw));
    raw.remove_prefix(std::min<std::size_t>(raw.size(), 4));
  } else {
    const bool blank = c == 'n' || c == 'r' || c == 't' || c == 'b' || c == 'f';
    put(c == 'n' ? '\n' : blank ? ' ' : c);
  }
}

// Halves of pairs, emoji mostly, say nothing here.
void TextSample::put_code_point(unsigned code) {
  if (code < 0x80) return put(ascii_lower(static_cast<char>(code)));
  if (code >= 0xD800 && code < 0xE000) return put(' ');
  if (code >= 0x800) {
    put(static_cast<char>(0xE0 | code >> 12));
    put(static_cast<char>(0x80 | (code >> 6 & 0x3F)));
  } else {
    put(static_cast<char>(0xC0 | code >> 6));
  }
  put(static_cast<char>(0x80 | (code & 0x3F)));
}

// Latin letters with marks (U+00C0 to U+00DE) and Cyrillic ones (U+0410 to U+042F).
void TextSample::lower_from(std::size_t start) {
  const auto is_wide = [](char c) { return static_cast<unsigned char>(c) >= 0x80; };
  const std::string_view added = text().substr(start);
  if (std::ranges::count_if(added, is_wide) == 0) return;
  for (std::size_t i = start; i + 1 < size_; ++i) {
    const auto lead = static_cast<unsigned char>(buffer_[i]);
    if (lead != 0xC3 && lead != 0xD0) continue;
    const auto next = static_cast<unsigned char>(buffer_[i + 1]);
    if (lead == 0xC3 && next >= 0x80 && next <= 0x9E && next != 0x97) buffer_[i + 1] = static_cast<char>(next + 0x20);
    if (lead == 0xD0 && next >= 0x90 && next <= 0x9F) buffer_[i + 1] = static_cast<char>(next + 0x20);
    if (lead == 0xD0 && next >= 0xA0 && next <= 0xAF) {
      buffer_[i] = static_cast<char>(0xD1);
      buffer_[i + 1] = static_cast<char>(next - 0x20);
    }
  }
}

}  // namespace sluice::routing
