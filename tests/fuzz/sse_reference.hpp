#pragma once
// Server-sent events as the HTML Standard tells it (section 9.2.6), on the whole text and as plainly as possible. Three
// things are as sse::Decoder promises them instead: an event without data counts if it has a type, a last event counts
// without its blank line, and an event larger than the limit ends everything.

#include <string>
#include <string_view>
#include <vector>

namespace sluice::fuzz {

struct SseEvent {
  std::string type, data;
  bool has_data = false;
  bool operator==(const SseEvent&) const = default;
};

struct SseStream {
  std::vector<SseEvent> events;
  bool too_big = false;
  bool operator==(const SseStream&) const = default;
};

inline std::vector<std::string> sse_lines(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t size = text.substr(0, text.find('\n')).find('\r');
    const std::size_t end = size != std::string_view::npos ? size : text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + (text.substr(end, 2) == "\r\n" ? 2 : 1));
  }
  return lines;
}

inline SseStream sse_reference(std::string_view text, std::size_t limit) {
  SseStream stream;
  SseEvent event;
  std::vector<std::string> lines = sse_lines(text);
  lines.emplace_back();
  for (const std::string& line : lines) {
    if (event.type.size() + event.data.size() + line.size() > limit && !line.empty()) {
      stream.too_big = true;
      break;
    }
    const std::size_t colon = line.find(':');
    const std::string name = line.substr(0, colon);
    std::string value = colon == std::string::npos ? "" : line.substr(colon + 1);
    if (value.starts_with(' ')) value.erase(0, 1);
    if (line.empty()) {
      if (event.has_data || !event.type.empty()) stream.events.push_back(event);
      event = {};
    } else if (name == "event") {
      event.type = value;
    } else if (name == "data") {
      event.data += (event.has_data ? "\n" : "") + value;
      event.has_data = true;
    }
  }
  return stream;
}

}  // namespace sluice::fuzz
