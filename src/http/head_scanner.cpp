#include <algorithm>

#include "http/chars.hpp"
#include "sluice/http/head.hpp"

namespace sluice::http {
namespace {

constexpr std::size_t kMaxEmptyLines = 4;    // RFC 9112 section 2.2: at least one should be ignored
constexpr std::size_t kStartLineExtra = 64;  // method, version and spaces around the target

ErrorKind malformed(HeadScanner::Side side) {
  return side == HeadScanner::Side::kRequest ? ErrorKind::kMalformedRequest : ErrorKind::kUpstreamInvalidResponse;
}

std::unexpected<Error> too_large(HeadScanner::Side side) {
  if (side == HeadScanner::Side::kResponse) return fail(malformed(side), "The upstream's response head is too large.");
  return fail(ErrorKind::kHeadersTooLarge, "The request's header fields are too large.");
}

}  // namespace

Result<std::optional<std::size_t>> HeadScanner::scan(std::string_view bytes) {
  const std::uint8_t allowed = side_ == Side::kResponse ? kValueChar | kObsText : kValueChar;
  while (position_ < bytes.size() && !complete_) {
    // Runs of ordinary bytes are passed over at once, up to the next byte or limit that has a meaning.
    const std::size_t stop = std::min(bytes.size(), limit());
    while (!cr_ && position_ < stop && is_class(bytes[position_], allowed)) ++position_;
    if (position_ == bytes.size()) break;
    if (position_ == limit()) return beyond_limit();
    if (auto good = special(bytes[position_], position_); !good) return std::unexpected(std::move(good.error()));
    ++position_;
  }
  if (!complete_) return std::nullopt;
  return position_ - skipped_;
}

std::size_t HeadScanner::limit() const {
  const bool start_line = side_ == Side::kRequest && in_start_line_;
  return skipped_ + (start_line ? std::min(limits_.bytes, limits_.uri_bytes + kStartLineExtra) : limits_.bytes);
}

std::unexpected<Error> HeadScanner::beyond_limit() const {
  if (limit() < skipped_ + limits_.bytes) return fail(ErrorKind::kUriTooLong, "The request target is too long.");
  return too_large(side_);
}

// A line end, or a byte that no head may hold.
Result<void> HeadScanner::special(char c, std::size_t index) {
  if (!cr_) {
    cr_ = c == '\r';
    if (cr_) return {};
    return fail(malformed(side_), "The head holds a byte that is not allowed there.");
  }
  if (c != '\n') return fail(malformed(side_), "A carriage return in the head is not followed by a line feed.");
  cr_ = false;
  const bool empty = index - line_start_ == 1;
  line_start_ = index + 1;
  if (!empty) {
    in_start_line_ = false;
  } else if (!in_start_line_) {
    complete_ = true;
  } else {
    skipped_ = index + 1;
    if (skipped_ > 2 * kMaxEmptyLines || side_ == Side::kResponse) {
      return fail(malformed(side_), "Empty lines came instead of a message.");
    }
  }
  return {};
}

}  // namespace sluice::http
