#include "message_reader.hpp"

#include <strings.h>

#include <algorithm>
#include <charconv>

namespace sluice::bench {
namespace {

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

bool number(std::string_view text, int base, std::size_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc{} && (end == text.data() + text.size() || *end == ';');
}

}  // namespace

std::string_view field(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at)) {
    at += 2;
    const std::string_view line = head.substr(at, head.find("\r\n", at) - at);
    if (line.size() <= name.size() || line[name.size()] != ':' || !same(line.substr(0, name.size()), name)) continue;
    std::string_view value = line.substr(name.size() + 1);
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    return value;
  }
  return {};
}

int MessageReader::status() const {
  std::size_t code = 0;
  return head_.starts_with("HTTP/1.1 ") && number(std::string_view(head_).substr(9, 3), 10, code)
             ? static_cast<int>(code)
             : 0;
}

bool MessageReader::closes() const { return same(field(head_, "connection"), "close"); }

void MessageReader::reset() {
  state_ = State::kHead;
  chunk_ = Chunk::kSize;
  chunked_ = false;
  left_ = 0;
  head_.clear();
  line_.clear();
  body_.clear();
}

MessageReader::State MessageReader::feed(std::string_view bytes) {
  while (!bytes.empty() && state_ != State::kBroken) {
    switch (state_) {
      case State::kHead:
        bytes = read_head(bytes);
        break;
      case State::kBody:
        bytes = chunked_ ? read_chunked(bytes) : read_plain(bytes);
        break;
      case State::kDone:
        state_ = State::kBroken;
        break;
      case State::kBroken:
        break;
    }
  }
  return state_;
}

std::string_view MessageReader::read_head(std::string_view bytes) {
  const std::size_t before = head_.size();
  head_.append(bytes);
  const std::size_t end = head_.find("\r\n\r\n", before > 3 ? before - 3 : 0);
  if (end == std::string::npos) return {};
  head_.resize(end + 4);
  begin_body();
  return bytes.substr(head_.size() - before);
}

void MessageReader::begin_body() {
  state_ = State::kBody;
  chunked_ = same(field(head_, "transfer-encoding"), "chunked");
  if (chunked_) return;
  const std::string_view length = field(head_, "content-length");
  if (length.empty() && head_.starts_with("HTTP/")) {
    state_ = State::kBroken;  // a body until end-of-file: no peer here should send one
  } else if (length.empty() || (number(length, 10, left_) && left_ == 0)) {
    state_ = State::kDone;
  } else if (left_ == 0) {
    state_ = State::kBroken;
  }
}

std::string_view MessageReader::read_plain(std::string_view bytes) {
  const std::size_t taken = std::min(left_, bytes.size());
  body_.append(bytes.substr(0, taken));
  left_ -= taken;
  if (left_ == 0) state_ = State::kDone;
  return bytes.substr(taken);
}

std::string_view MessageReader::read_chunked(std::string_view bytes) {
  if (chunk_ == Chunk::kData) {
    const std::size_t taken = std::min(left_, bytes.size());
    body_.append(bytes.substr(0, taken));
    left_ -= taken;
    if (left_ == 0) chunk_ = Chunk::kDataEnd;
    return bytes.substr(taken);
  }
  const std::size_t end = bytes.find('\n');
  line_.append(bytes.substr(0, end));
  if (end == std::string_view::npos) return {};
  end_of_line();
  line_.clear();
  return bytes.substr(end + 1);
}

void MessageReader::end_of_line() {
  if (!line_.ends_with('\r')) {
    state_ = State::kBroken;
    return;
  }
  line_.pop_back();
  switch (chunk_) {
    case Chunk::kSize:
      if (!number(line_, 16, left_)) state_ = State::kBroken;
      chunk_ = left_ == 0 ? Chunk::kTrailer : Chunk::kData;
      break;
    case Chunk::kDataEnd:
      if (!line_.empty()) state_ = State::kBroken;
      chunk_ = Chunk::kSize;
      break;
    case Chunk::kTrailer:
      if (line_.empty()) state_ = State::kDone;
      break;
    case Chunk::kData:
      break;
  }
}

}  // namespace sluice::bench
