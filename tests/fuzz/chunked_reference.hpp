#pragma once
// The chunked coding (RFC 9112 section 7.1) on the whole text: what http::ChunkDecoder must make of the same bytes, as
// long as extensions, trailers and framing stay below their limits.

#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/core/text.hpp"
#include "sluice/http/head.hpp"

namespace sluice::fuzz {

struct Chunked {
  enum class End : std::uint8_t { kComplete, kIncomplete, kMalformed, kTooLarge };
  End end = End::kIncomplete;
  std::string body;
  std::size_t size = 0;  // of the coding, when complete
};

class ChunkedReference {
 public:
  ChunkedReference(std::string_view text, std::uint64_t most) : all_(text.size()), most_(most), rest_(text) {}

  Chunked read() {
    while (size_line() && chunk_ > 0 && data()) {
    }
    if (!stopped_) trailers();
    if (!stopped_) result_.end = Chunked::End::kComplete;
    result_.size = all_ - rest_.size();
    return result_;
  }

 private:
  bool stop(Chunked::End why) {
    stopped_ = true;
    result_.end = why;
    return false;
  }
  bool good(bool held) { return held || stop(rest_.empty() ? Chunked::End::kIncomplete : Chunked::End::kMalformed); }
  bool take(char wanted) {
    if (!good(rest_.starts_with(wanted))) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool line_end() { return take('\r') && take('\n'); }
  static bool is_visible(char c) { return c == '\t' || (c >= ' ' && c < 0x7F); }

  bool size_line() {
    chunk_ = 0;
    std::size_t digits = 0;
    for (; !rest_.empty() && hex_value(rest_[0]) >= 0; rest_.remove_prefix(1), ++digits) {
      if (digits == 16) return stop(Chunked::End::kMalformed);
      chunk_ = chunk_ * 16 + static_cast<unsigned>(hex_value(rest_[0]));
    }
    if (!good(digits > 0)) return false;
    if (rest_.starts_with(';') && !extension()) return false;
    if (!line_end()) return false;
    if (chunk_ > most_ - announced_) return stop(Chunked::End::kTooLarge);
    announced_ += chunk_;
    return true;
  }

  // Up to the end of the line; within quotes a backslash hides the next byte.
  bool extension() {
    bool quoted = false, hidden = false;
    for (; !rest_.empty() && is_visible(rest_[0]); rest_.remove_prefix(1)) {
      if (rest_[0] == '"' && !hidden) quoted = !quoted;
      hidden = quoted && !hidden && rest_[0] == '\\';
    }
    return good(!quoted);
  }

  bool data() {
    const std::string_view chunk = rest_.substr(0, chunk_);
    result_.body += chunk;
    rest_.remove_prefix(chunk.size());
    return good(chunk.size() == chunk_) && line_end();
  }

  void trailers() {
    while (!stopped_ && !rest_.starts_with('\r')) {
      std::size_t size = 0;
      while (size < rest_.size() && is_visible(rest_[size])) ++size;
      const std::string_view line = rest_.substr(0, size);
      rest_.remove_prefix(size);
      if (line_end() && !is_trailer(line)) stop(Chunked::End::kMalformed);
    }
    if (!stopped_) line_end();
  }

  static bool is_trailer(std::string_view line) {
    constexpr std::string_view kForbidden[] = {"content-length", "transfer-encoding", "host",  "content-encoding",
                                               "content-type",   "connection",        "expect"};
    const std::string_view name = line.substr(0, line.find(':'));
    for (const std::string_view forbidden : kForbidden) {
      if (equals_ignore_case(name, forbidden)) return false;
    }
    return name.size() < line.size() && http::is_token(name);
  }

  std::size_t all_;
  std::uint64_t most_;
  std::uint64_t announced_ = 0;
  std::string_view rest_;
  std::uint64_t chunk_ = 0;
  bool stopped_ = false;
  Chunked result_;
};

inline Chunked read_chunked(std::string_view text, std::uint64_t most = UINT64_MAX) {
  return ChunkedReference(text, most).read();
}

}  // namespace sluice::fuzz
