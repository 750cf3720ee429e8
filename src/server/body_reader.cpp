#include "server/body_reader.hpp"

#include "sluice/http/chunk_decoder.hpp"

namespace sluice::server {
namespace {

constexpr std::size_t kFirstRoom = 64 * 1024;       // of a promised length that is taken on trust
constexpr std::uint64_t kFreeOverhead = 64 * 1024;  // chunk framing that any body may have
constexpr auto kRestAfter = milliseconds(200);      // of silence, room is given back

// Without writing zeros that are about to be overwritten.
void resize(std::string& text, std::size_t size) {
  text.resize_and_overwrite(size, [](char*, std::size_t count) { return count; });
}

std::unexpected<Error> refused(http::ChunkDecoder::Fault fault) {
  using Fault = http::ChunkDecoder::Fault;
  if (fault == Fault::kTooLarge) return std::unexpected(body_too_large());
  return fail(ErrorKind::kMalformedRequest, fault == Fault::kOverhead
                                                ? "The request's chunks are mostly framing."
                                                : "The request's chunked coding cannot be understood.");
}

}  // namespace

Error body_too_large() {
  return fail(ErrorKind::kRequestTooLarge, "The request's body is larger than this gateway takes.").error();
}

BodyPace::BodyPace(const config::Limits& limits, TimePoint now)
    : window_(limits.body_rate_window),
      wanted_(limits.body_min_rate * static_cast<std::size_t>(window_.count()) / 1000),
      total_due_(now + limits.body_timeout),
      window_due_(wanted_ > 0 ? now + window_ : kNever) {}

bool BodyPace::keeps_up(std::size_t received, TimePoint now) {
  if (now >= total_due_) return false;
  if (now < window_due_) return true;
  if (received - before_window_ < wanted_) return false;
  before_window_ = received;
  window_due_ = now + window_;
  return true;
}

BodyReader::BodyReader(ClientIo& io, const config::Limits& limits, std::string& body, MayGrow may_grow)
    : io_(io), limits_(limits), body_(body), may_grow_(std::move(may_grow)), pace_(limits, Clock::now()) {}

Task<Result<void>> BodyReader::read(const http::RequestHead& head) {
  return head.framing == http::Framing::kChunked ? read_chunks() : read_length(head.content_length);
}

// Looked at before each wait, so that bytes which trickle in cannot keep putting it off.
Result<void> BodyReader::keeps_up() {
  if (pace_.keeps_up(body_.size(), Clock::now())) return {};
  return fail(ErrorKind::kRequestTimeout, "The request's body came too slowly.");
}

Task<Result<void>> BodyReader::more_input() {
  for (;;) {
    if (auto fast = keeps_up(); !fast) co_return fast;
    const auto input = co_await io_.wait(pace_.due());
    if (input == ClientIo::Input::kBytes) co_return Result<void>{};
    if (input == ClientIo::Input::kClosed) co_return client_gone();
  }
}

// A promised length is not believed: the buffer grows with what has really come.
Task<Result<void>> BodyReader::read_length(std::uint64_t length) {
  while (body_.size() < length) {
    const auto missing = static_cast<std::size_t>(length - body_.size());
    Result<void> read;
    if (io_.can_read_directly()) {
      read = co_await read_into_body(std::min(missing, std::max(body_.size(), kFirstRoom)));
      if (read) read = may_grow_();
    } else if (io_.input().empty()) {
      read = co_await more_input();
    }
    if (!read) co_return read;
    const auto take = std::min(missing, io_.input().size());
    body_.append(io_.input().substr(0, take));
    io_.consume(take);
  }
  co_return Result<void>{};
}

// Past the buffer. One read; none when nothing came for a while, or the time for it was up but the pace is still good.
Task<Result<void>> BodyReader::read_into_body(std::size_t room) {
  if (auto fast = keeps_up(); !fast) co_return fast;
  const std::size_t have = body_.size();
  resize(body_, have + room);
  const auto now = Clock::now();
  auto count = co_await io_.read_into({body_.data() + have, room}, std::min(pace_.due(), now + kRestAfter));
  resize(body_, have + count.value_or(0));
  if (count) co_return Result<void>{};
  if (count.error().fault != http::IoFault::kTimeout) co_return client_gone();
  co_return co_await rest();
}

// A body that trickles in holds no more than what has come of it.
Task<Result<void>> BodyReader::rest() {
  body_.shrink_to_fit();
  if (co_await io_.rest(pace_.due()) == ClientIo::Input::kClosed) co_return client_gone();
  co_return Result<void>{};
}

Task<Result<void>> BodyReader::read_chunks() {
  http::ChunkDecoder decoder({.payload = limits_.body_bytes, .free_overhead = kFreeOverhead});
  for (;;) {
    if (io_.input().empty()) {
      if (auto more = co_await more_input(); !more) co_return more;
    }
    std::string piece(io_.input());
    auto step = decoder.decode(piece);
    if (!step) co_return refused(step.error());
    body_.append(piece, 0, step->payload);
    io_.consume(step->consumed);
    if (step->done) co_return Result<void>{};
    if (auto free = may_grow_(); !free) co_return free;
  }
}

}  // namespace sluice::server
