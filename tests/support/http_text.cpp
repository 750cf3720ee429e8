#include "support/http_text.hpp"

#include <algorithm>
#include <charconv>

namespace sluice::support {
namespace {

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

std::optional<std::size_t> parse_number(std::string_view text, int base) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

}  // namespace

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), to_lower);
  return result;
}

std::optional<std::string> Head::find(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (lower(key) == lower(name)) return value;
  }
  return std::nullopt;
}

std::size_t Head::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(headers, [&](const auto& header) { return lower(header.first) == lower(name); }));
}

std::optional<std::pair<Head, std::size_t>> parse_head(std::string_view text) {
  const auto end = text.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  Head head;
  std::string_view rest = text.substr(0, end + 2);
  while (!rest.empty()) {
    const auto line_end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, line_end);
    rest.remove_prefix(line_end + 2);
    const auto colon = line.find(':');
    if (head.start_line.empty()) {
      head.start_line = line;
    } else if (colon != std::string_view::npos) {
      head.headers.emplace_back(line.substr(0, colon), trim(line.substr(colon + 1)));
    }
  }
  return std::pair{std::move(head), end + 4};
}

int status_of(const Head& head) {
  const auto space = head.start_line.find(' ');
  if (!head.start_line.starts_with("HTTP/") || space == std::string::npos) return 0;
  return static_cast<int>(parse_number(std::string_view(head.start_line).substr(space + 1), 10).value_or(0));
}

BodyReader BodyReader::for_request(const Head& head) {
  if (lower(head.get("transfer-encoding")) == "chunked") return BodyReader(Framing::kChunked);
  const auto length = parse_number(head.get("content-length"), 10);
  return BodyReader(length ? Framing::kLength : Framing::kNone, length.value_or(0));
}

BodyReader BodyReader::for_response(const Head& head, bool to_head_request) {
  const int status = status_of(head);
  if (to_head_request || status == 204 || status == 304 || status < 200) return BodyReader(Framing::kNone);
  BodyReader reader = for_request(head);
  return reader.framing_ == Framing::kNone ? BodyReader(Framing::kUntilClose) : reader;
}

bool BodyReader::done() const {
  switch (framing_) {
    case Framing::kNone:
      return true;
    case Framing::kLength:
      return left_ == 0;
    case Framing::kChunked:
      return part_ == Part::kDone;
    case Framing::kUntilClose:
      break;
  }
  return false;
}

std::string BodyReader::take(std::string& wire) {
  std::string payload;
  if (framing_ == Framing::kUntilClose) {
    payload.swap(wire);
  } else if (framing_ == Framing::kLength) {
    const std::size_t size = std::min(left_, wire.size());
    payload = wire.substr(0, size);
    wire.erase(0, size);
    left_ -= size;
  } else if (framing_ == Framing::kChunked) {
    while (!done() && !broken_ && step(wire, payload)) {
    }
  }
  return payload;
}

bool BodyReader::step(std::string& wire, std::string& payload) {
  switch (part_) {
    case Part::kSize:
      return read_size(wire);
    case Part::kData:
      return read_data(wire, payload);
    case Part::kDataEnd:
      if (wire.size() < 2) return false;
      broken_ = !wire.starts_with("\r\n");
      wire.erase(0, 2);
      part_ = Part::kSize;
      return true;
    case Part::kTrailers:
      return read_trailer(wire);
    case Part::kDone:
      break;
  }
  return false;
}

bool BodyReader::read_size(std::string& wire) {
  const auto end = wire.find("\r\n");
  if (end == std::string::npos) return false;
  const auto size = parse_number(std::string_view(wire).substr(0, end), 16);
  wire.erase(0, end + 2);
  broken_ = !size;
  left_ = size.value_or(0);
  part_ = left_ == 0 ? Part::kTrailers : Part::kData;
  return true;
}

bool BodyReader::read_data(std::string& wire, std::string& payload) {
  const std::size_t size = std::min(left_, wire.size());
  payload.append(wire, 0, size);
  wire.erase(0, size);
  left_ -= size;
  if (left_ == 0) part_ = Part::kDataEnd;
  return size > 0;
}

bool BodyReader::read_trailer(std::string& wire) {
  const auto end = wire.find("\r\n");
  if (end == std::string::npos) return false;
  wire.erase(0, end + 2);
  if (end == 0) part_ = Part::kDone;
  return true;
}

}  // namespace sluice::support
