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
  while (position_ < bytes.size() && !complete_) {
    auto good = step(bytes[position_], position_);
    if (!good) return std::unexpected(std::move(good.error()));
    ++position_;
  }
  if (!complete_) return std::nullopt;
  return position_ - skipped_;
}

Result<void> HeadScanner::step(char c, std::size_t index) {
  const std::size_t size = index - skipped_;
  if (side_ == Side::kRequest && in_start_line_ && size > limits_.uri_bytes + kStartLineExtra) {
    return fail(ErrorKind::kUriTooLong, "The request target is too long.");
  }
  if (size >= limits_.bytes) return too_large(side_);
  if (cr_) {
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
  if (c == '\r') {
    cr_ = true;
    return {};
  }
  const std::uint8_t allowed = side_ == Side::kResponse ? kValueChar | kObsText : kValueChar;
  if (!is_class(c, allowed)) return fail(malformed(side_), "The head holds a byte that is not allowed there.");
  return {};
}

}  // namespace sluice::http
