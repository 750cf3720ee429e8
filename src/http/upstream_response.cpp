#include "http/upstream_response.hpp"

#include <algorithm>
#include <new>

namespace sluice::http {
namespace {

constexpr int kMaxInterimResponses = 16;
constexpr auto kFinishTimeout = milliseconds(1000);  // how long a last chunk may take after all that mattered

std::unexpected<Error> lost(const IoError& error) {
  switch (error.fault) {
    case IoFault::kCancelled:
      return client_gone();
    case IoFault::kTimeout:
      return fail(ErrorKind::kUpstreamTimeout, "The upstream did not answer in time.", "no response head in time");
    default:
      return fail(ErrorKind::kUpstreamReset, "The upstream closed the connection without an answer.", error.detail);
  }
}

}  // namespace

void ResponseStream::finish(std::unique_ptr<ResponseStream> stream) {
  auto& self = *stream;
  self.finish_in_background(std::move(stream));
}

UpstreamResponse::UpstreamResponse(Pool& pool, std::shared_ptr<const Origin> origin,
                                   std::unique_ptr<UpstreamConnection> connection)
    : pool_(pool), origin_(std::move(origin)), connection_(std::move(connection)) {}

UpstreamResponse::~UpstreamResponse() {
  if (!ended_ || !reusable_) return;
  try {
    pool_.put(*origin_, std::move(connection_));
  } catch (const std::bad_alloc&) {
    // One connection less to use again.
  }
}

Task<IoResult<std::size_t>> UpstreamResponse::fill(TimePoint due) {
  connection_->start_read();
  return connection_->read->wait(due);
}

void UpstreamResponse::pause() {
  if (unread_.empty() && !connection_->read->pending() && !connection_->read->has_result()) connection_->drop_buffer();
}

Task<Result<void>> UpstreamResponse::read_head(const HeadLimits& limits, TimePoint due, bool& got_bytes) {
  HeadScanner scanner(HeadScanner::Side::kResponse, limits);
  std::string received;
  int interim = 0;
  for (;;) {
    auto complete = scanner.scan(received);
    if (!complete) co_return std::unexpected(std::move(complete.error()));
    if (!*complete) {
      auto count = co_await fill(due);
      if (!count) co_return lost(count.error());
      got_bytes = true;
      const auto bytes = connection_->received(*count);
      received.append(bytes.data(), bytes.size());
      continue;
    }
    head_bytes_ = received.substr(0, **complete);
    received.erase(0, **complete);
    auto head = parse_response_head(head_bytes_, limits);
    if (!head) co_return std::unexpected(std::move(head.error()));
    head_ = std::move(*head);
    if (head_.status >= 200) break;
    if (head_.status == 101 || ++interim > kMaxInterimResponses) {
      co_return fail(ErrorKind::kUpstreamInvalidResponse, "The upstream's response cannot be understood.",
                     "unexpected interim response");
    }
    scanner.reset();
  }
  // What is left came in the last read, so it fits the buffer.
  std::ranges::copy(received, connection_->buffer.data());
  unread_ = {connection_->buffer.data(), received.size()};
  remaining_ = head_.content_length;
  reusable_ = head_.keep_alive;
  ended_ = head_.framing == Framing::kNone || (head_.framing == Framing::kLength && remaining_ == 0);
  if (ended_ && !unread_.empty()) reusable_ = false;
  co_return Result<void>{};
}

Task<Result<std::string_view>> UpstreamResponse::read_some(TimePoint due) {
  while (!ended_) {
    if (unread_.empty()) {
      auto count = co_await fill(due);
      if (!count && count.error().fault == IoFault::kEof && head_.framing == Framing::kUntilClose) {
        ended_ = true;
        break;
      }
      if (!count) co_return std::unexpected(ended_early(count.error()));
      unread_ = connection_->received(*count);
    }
    auto bytes = decode(std::exchange(unread_, {}));
    if (!bytes || !bytes->empty()) co_return bytes;
  }
  co_return std::string_view{};
}

Result<std::string_view> UpstreamResponse::decode(std::span<char> bytes) {
  if (head_.framing == Framing::kUntilClose) return std::string_view(bytes.data(), bytes.size());
  if (head_.framing == Framing::kLength) {
    auto count = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, bytes.size()));
    remaining_ -= count;
    ended_ = remaining_ == 0;
    if (count < bytes.size()) reusable_ = false;
    return std::string_view(bytes.data(), count);
  }
  auto step = chunks_.decode(bytes);
  if (!step) {
    reusable_ = false;
    return fail(ErrorKind::kUpstreamInvalidResponse, "The upstream's response cannot be understood.",
                "bad chunked coding");
  }
  ended_ = step->done;
  if (step->consumed < bytes.size()) reusable_ = false;
  return std::string_view(bytes.data(), step->payload);
}

Error UpstreamResponse::ended_early(const IoError& error) const {
  switch (error.fault) {
    case IoFault::kCancelled:
      return client_gone().error();
    case IoFault::kTimeout:
      return fail(ErrorKind::kUpstreamIdleTimeout, "The upstream stopped sending.", "silent for too long").error();
    default:
      return fail(ErrorKind::kUpstreamTruncated, "The upstream closed the connection before its answer was complete.",
                  error.detail)
          .error();
  }
}

void UpstreamResponse::finish_in_background(std::unique_ptr<ResponseStream> self) {
  if (ended_ || !reusable_) return;
  if (!unread_.empty()) {
    auto rest = decode(std::exchange(unread_, {}));
    if (ended_ || !rest || !rest->empty()) return;
  }
  try {
    pool_.keep(std::move(self), Clock::now() + kFinishTimeout);
    connection_->read->on_arrival([this] { rest_arrived(); });
    connection_->start_read();
  } catch (const std::bad_alloc&) {
    // The answer is complete; its connection closes, now or when its time is up.
  }
}

void UpstreamResponse::rest_arrived() {
  auto count = connection_->read->take_result();
  if (count) {
    auto rest = decode(connection_->received(*count));
    if (rest && rest->empty() && !ended_ && reusable_) return connection_->start_read();
    if (!rest || !rest->empty()) reusable_ = false;
  }
  pool_.drop(this);
}

}  // namespace sluice::http
