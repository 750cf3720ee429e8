#include "sluice/http/chunk_decoder.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "http/chars.hpp"
#include "sluice/core/text.hpp"
#include "sluice/http/head.hpp"

namespace sluice::http {
namespace {

using Fault = ChunkDecoder::Fault;

constexpr int kMaxSizeDigits = 16;

// RFC 9110 section 6.5.1: framing, routing and content fields have no business in a trailer.
constexpr std::array<std::string_view, 7> kForbiddenTrailers = {
    "content-length", "transfer-encoding", "host", "content-encoding", "content-type", "connection", "expect"};

bool is_good_trailer(std::string_view line) {
  auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return false;
  return std::ranges::none_of(kForbiddenTrailers,
                              [&](std::string_view n) { return equals_ignore_case(n, line.substr(0, colon)); });
}

}  // namespace

std::expected<ChunkDecoder::Step, Fault> ChunkDecoder::decode(std::span<char> bytes) {
  Step step;
  while (step.consumed < bytes.size() && !done_) {
    if (state_ != State::kData) {
      if (++overhead_ > limits_.free_overhead && overhead_ - limits_.free_overhead > total_) {
        return std::unexpected(Fault::kOverhead);
      }
      if (auto good = control(bytes[step.consumed++]); !good) return std::unexpected(good.error());
      continue;
    }
    auto count = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, bytes.size() - step.consumed));
    if (step.payload != step.consumed) {
      std::memmove(bytes.data() + step.payload, bytes.data() + step.consumed, count);
    }
    step.payload += count;
    step.consumed += count;
    remaining_ -= count;
    if (remaining_ == 0) state_ = State::kDataCr;
  }
  step.done = done_;
  return step;
}

std::expected<void, Fault> ChunkDecoder::control(char c) {
  const auto expect = [&](char wanted, State next) -> std::expected<void, Fault> {
    if (c != wanted) return std::unexpected(Fault::kMalformed);
    state_ = next;
    return {};
  };
  switch (state_) {
    case State::kSize:
      return size_digit(c);
    case State::kExtension:
    case State::kQuoted:
    case State::kQuotedPair:
      if (++extension_bytes_ > limits_.extensions) return std::unexpected(Fault::kOverhead);
      if (c == '\r' && state_ == State::kExtension) return expect('\r', State::kSizeLf);
      if (!is_class(c, kValueChar)) return std::unexpected(Fault::kMalformed);
      if (state_ == State::kQuotedPair)
        state_ = State::kQuoted;
      else if (c == '\\' && state_ == State::kQuoted)
        state_ = State::kQuotedPair;
      else if (c == '"')
        state_ = state_ == State::kQuoted ? State::kExtension : State::kQuoted;
      return {};
    case State::kSizeLf:
      if (c != '\n') return std::unexpected(Fault::kMalformed);
      return end_of_size_line();
    case State::kDataCr:
      return expect('\r', State::kDataLf);
    case State::kDataLf:
      digits_ = 0;
      return expect('\n', State::kSize);
    case State::kTrailer:
      if (++trailer_bytes_ > limits_.trailers) return std::unexpected(Fault::kOverhead);
      if (c == '\r') return expect('\r', State::kTrailerLf);
      if (!is_class(c, kValueChar)) return std::unexpected(Fault::kMalformed);
      trailer_line_ += c;
      return {};
    case State::kTrailerLf:
      if (c != '\n') return std::unexpected(Fault::kMalformed);
      return end_of_trailer_line();
    case State::kData:
      break;
  }
  return std::unexpected(Fault::kMalformed);
}

std::expected<void, Fault> ChunkDecoder::size_digit(char c) {
  if (int digit = hex_value(c); digit >= 0) {
    if (++digits_ > kMaxSizeDigits) return std::unexpected(Fault::kMalformed);
    remaining_ = remaining_ * 16 + static_cast<std::uint64_t>(digit);
    return {};
  }
  if (digits_ == 0) return std::unexpected(Fault::kMalformed);
  if (c == ';') {
    state_ = State::kExtension;
  } else if (c == '\r') {
    state_ = State::kSizeLf;
  } else {
    return std::unexpected(Fault::kMalformed);
  }
  return {};
}

std::expected<void, Fault> ChunkDecoder::end_of_size_line() {
  if (remaining_ == 0) {
    state_ = State::kTrailer;
    return {};
  }
  if (remaining_ > limits_.payload - std::min(total_, limits_.payload)) return std::unexpected(Fault::kTooLarge);
  total_ += remaining_;
  state_ = State::kData;
  return {};
}

std::expected<void, Fault> ChunkDecoder::end_of_trailer_line() {
  if (trailer_line_.empty()) {
    done_ = true;
    return {};
  }
  if (!is_good_trailer(trailer_line_)) return std::unexpected(Fault::kMalformed);
  trailer_line_.clear();
  state_ = State::kTrailer;
  return {};
}

}  // namespace sluice::http
