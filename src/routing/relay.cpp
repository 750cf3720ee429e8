#include "routing/relay.hpp"

#include <algorithm>
#include <new>

#include "routing/event_filter.hpp"
#include "sluice/api/answer.hpp"
#include "sluice/api/estimate.hpp"
#include "sluice/core/aside.hpp"
#include "sluice/core/text.hpp"

namespace sluice::routing {
namespace {

using observe::Phase;
using observe::Stage;

constexpr std::size_t kFirstReserve = 64 * 1024;  // a promised length is not believed beyond this
constexpr std::size_t kMostHeld = 64 * 1024;      // of a stream's beginning that holds nothing to read
constexpr std::size_t kKeptOut = 16 * 1024;       // what one big event needed is not kept for the rest of the stream

Error total_timed_out() {
  return fail(ErrorKind::kUpstreamTimeout, "The answer took longer than this gateway waits.", "total").error();
}

Error starved() {
  return fail(ErrorKind::kUpstreamTimeout, "The upstream's answer comes too slowly.", "starve").error();
}

bool is_event_stream(const http::ResponseHead& head) {
  const auto type = head.get("content-type");
  return equals_ignore_case(trim(type.substr(0, type.find(';'))), "text/event-stream");
}

// A whole answer is read, and embeddings are brought into the form that was asked for.
Result<api::Answer> judge_now(const pipeline::Exchange& exchange, std::string& body) {
  auto answer = api::inspect_answer(exchange.endpoint, body);
  if (!answer || exchange.endpoint != Endpoint::kEmbeddings) return answer;
  const bool base64 = exchange.view->encoding == api::Encoding::kBase64;
  auto converted = api::convert_embeddings(body, base64 ? api::Encoding::kBase64 : api::Encoding::kFloat);
  if (!converted) return std::unexpected(std::move(converted.error()));
  if (*converted) body = std::move(**converted);
  return answer;
}

Task<Result<api::Answer>> judge(const pipeline::Exchange& exchange, std::string& body, std::size_t inline_bytes) {
  auto work = [&exchange, &body] { return judge_now(exchange, body); };
  if (body.size() <= inline_bytes) co_return work();
  co_return co_await aside(work);
}

class StreamRelay final : public Relay {
 public:
  StreamRelay(pipeline::Exchange& exchange, std::unique_ptr<http::ResponseStream> upstream, const RelayLimits& limits)
      : exchange_(exchange),
        upstream_(std::move(upstream)),
        limits_(limits),
        filter_({.endpoint = exchange.endpoint, .hide_usage = limits.hide_usage}, limits.event_bytes, limits.redactor) {
  }

  Task<Result<void>> prepare() override {
    exchange_.record.phase = Phase::kFirstToken;
    if (!is_event_stream(upstream_->head())) co_return co_await refuse_whole_body();
    while (!fit_to_begin()) {
      const auto due = next_due();
      auto more = may_go_on(due);
      if (more) more = take(due, co_await upstream_->read_some(due));
      const bool silent = !more && more.error().kind == ErrorKind::kUpstreamIdleTimeout && due == starved_at();
      if (silent || starves()) co_return std::unexpected(starved());
      if (!more && !may_begin()) co_return std::unexpected(std::move(more.error()));
      if (!more) failed_ = std::move(more.error());
      exchange_.held_bytes = out_.capacity();
    }
    exchange_.held_bytes = 0;
    co_return Result<void>{};
  }

  Task<Result<void>> deliver() override {
    delivers_ = true;
    exchange_.record.phase = Phase::kStream;
    if (first_content_ != TimePoint{}) exchange_.record.reached(Stage::kFirstToken, first_content_);
    exchange_.sink->start(http::event_stream(exchange_.passed_on));
    while (!over_) {
      if (!out_.empty()) {
        auto sent = exchange_.sink->write_now(out_);
        if (!sent) sent = co_await wait_for_reader();
        if (!*sent) co_return std::move(*sent);
        clear_out();
        exchange_.record.events = filter_.events();  // for whoever looks on
      }
      if (failed_) co_return std::unexpected(std::move(*failed_));
      const auto due = next_due();
      auto more = may_go_on(due);
      if (more) more = take(due, co_await upstream_->read_some(due));
      if (!more) failed_ = std::move(more.error());
    }
    exchange_.record.reached(Stage::kLastToken);
    note();
    auto finished = co_await exchange_.sink->finish(out_);
    exchange_.record.reached(Stage::kRelay);
    if (finished) http::ResponseStream::finish(std::move(upstream_));
    co_return finished;
  }

  Usage usage() const override {
    const auto& state = filter_.state();
    Usage used = state.usage();
    if (used.source != UsageSource::kNone || state.content_events() == 0) return used;
    used.source = UsageSource::kEstimated;
    used.input = api::estimate_input_tokens(*exchange_.view);
    used.output = static_cast<std::int64_t>(state.content_events());
    return used;
  }

  void note() const override {
    const auto& state = filter_.state();
    exchange_.record.usage = usage();
    exchange_.record.events = filter_.events();
    exchange_.record.finish_reason = state.finish_reason();
    if (!delivers_ || state.complete()) return;
    exchange_.failure_event = [state](const Error& error) { return state.failure_event(error); };
  }

 private:
  // A stream was asked for and a whole body came: an error in disguise, or an upstream that does not stream.
  Task<Result<void>> refuse_whole_body() {
    auto body = co_await read_body(exchange_, *upstream_, limits_);
    if (!body) co_return std::unexpected(std::move(body.error()));
    auto answer = co_await judge(exchange_, *body, limits_.inline_bytes);
    if (!answer) co_return std::unexpected(std::move(answer.error()));
    co_return fail(ErrorKind::kUpstreamInvalidResponse, "The upstream did not stream its answer.",
                   "JSON instead of SSE");
  }

  // Whether what there is may be shown, were it all that came.
  bool may_begin() const {
    if (out_.empty()) return false;
    return !limits_.until_content || filter_.state().content_events() > 0;
  }
  bool fit_to_begin() const {
    if (over_ || failed_ || out_.size() > kMostHeld) return true;
    return may_begin() && filter_.state().content_events() >= limits_.least_events;
  }
  bool starves() const {
    return !over_ && filter_.state().content_events() < limits_.least_events && Clock::now() >= starved_at();
  }
  TimePoint starved_at() const {
    return first_content_ == TimePoint{} ? kNever : first_content_ + limits_.starve_within;
  }

  TimePoint next_due() const {
    if (!delivers_ && !may_begin()) return std::min(limits_.first_token_due, limits_.total_due);
    const auto idle = std::min(Clock::now() + limits_.idle, limits_.total_due);
    return delivers_ ? idle : std::min(idle, starved_at());
  }

  // An upstream that always has something is never waited for, and out of time all the same.
  Result<void> may_go_on(TimePoint due) const {
    if (Clock::now() >= due) return std::unexpected(timed_out(due, starved()));
    if (!exchange_.may_go_on) return {};
    return exchange_.may_go_on(static_cast<std::int64_t>(filter_.state().content_events()));
  }
  // Tells the ways of waiting too long apart.
  Error timed_out(TimePoint due, Error silence) const {
    if (due == limits_.total_due) return total_timed_out();
    if (delivers_ || may_begin()) return silence;
    return fail(ErrorKind::kUpstreamTimeout, "The upstream sent no token in time.", "first token").error();
  }

  // The upstream is not read meanwhile, and of all that the stream holds only what has to be sent stays.
  Task<Result<void>> wait_for_reader() {
    upstream_->pause();
    exchange_.held_bytes = out_.capacity();
    auto sent = co_await exchange_.sink->flush();
    exchange_.held_bytes = 0;
    co_return sent;
  }

  void clear_out() {
    out_.clear();
    if (out_.capacity() > kKeptOut) out_.shrink_to_fit();
  }

  // One read, filtered into `out_`. What is in there when the answer is over goes out with its end.
  Result<void> take(TimePoint due, Result<std::string_view> bytes) {
    if (!bytes && bytes.error().kind == ErrorKind::kUpstreamIdleTimeout) {
      return std::unexpected(timed_out(due, std::move(bytes.error())));
    }
    if (!bytes) return std::unexpected(std::move(bytes.error()));
    auto filtered = bytes->empty() ? filter_.finish(out_) : filter_.feed(*bytes, out_);
    if (first_content_ == TimePoint{} && filter_.state().content_events() > 0) {
      first_content_ = Clock::now();
      if (delivers_) exchange_.record.reached(Stage::kFirstToken, first_content_);
    }
    if (!filtered) return filtered;
    over_ = bytes->empty() || filter_.complete();
    return {};
  }

  pipeline::Exchange& exchange_;
  std::unique_ptr<http::ResponseStream> upstream_;
  RelayLimits limits_;
  EventFilter filter_;
  std::string out_;
  TimePoint first_content_{};
  std::optional<Error> failed_;  // what ends it once `out_` is sent
  bool over_ = false;
  bool delivers_ = false;
};

class WholeRelay final : public Relay {
 public:
  WholeRelay(pipeline::Exchange& exchange, std::unique_ptr<http::ResponseStream> upstream, const RelayLimits& limits)
      : exchange_(exchange), upstream_(std::move(upstream)), limits_(limits) {}

  Task<Result<void>> prepare() override {
    exchange_.record.phase = Phase::kAnswer;
    auto body = co_await read_body(exchange_, *upstream_, limits_);
    if (!body) co_return std::unexpected(std::move(body.error()));
    upstream_.reset();
    body_ = std::move(*body);
    auto answer = co_await judge(exchange_, body_, limits_.inline_bytes);
    if (!answer) co_return std::unexpected(std::move(answer.error()));
    answer_ = std::move(*answer);
    came_ = Clock::now();
    co_return Result<void>{};
  }

  Task<Result<void>> deliver() override {
    exchange_.record.reached(Stage::kFirstToken, came_);
    exchange_.record.reached(Stage::kLastToken, came_);
    note();
    auto sent = co_await exchange_.sink->respond({.fields = exchange_.passed_on}, body_);
    exchange_.record.reached(Stage::kRelay);
    co_return sent;
  }

  Usage usage() const override { return answer_.usage; }

  void note() const override {
    exchange_.record.usage = answer_.usage;
    exchange_.record.finish_reason = answer_.finish_reason;
  }

 private:
  pipeline::Exchange& exchange_;
  std::unique_ptr<http::ResponseStream> upstream_;
  RelayLimits limits_;
  std::string body_;
  api::Answer answer_;
  TimePoint came_{};
};

}  // namespace

Task<Result<std::string>> read_body(pipeline::Exchange& exchange, http::ResponseStream& upstream, RelayLimits limits) {
  std::string body;
  body.reserve(std::min<std::size_t>(upstream.head().content_length, kFirstReserve));
  for (;;) {
    const auto due = std::min(Clock::now() + limits.idle, limits.total_due);
    auto bytes = co_await upstream.read_some(due);
    if (!bytes && bytes.error().kind == ErrorKind::kUpstreamIdleTimeout && due == limits.total_due) {
      co_return std::unexpected(total_timed_out());
    }
    if (!bytes) co_return std::unexpected(std::move(bytes.error()));
    if (bytes->empty()) co_return body;
    if (body.size() + bytes->size() > limits.response_bytes) {
      co_return fail(ErrorKind::kUpstreamInvalidResponse, "The upstream's answer is too large.",
                     "limits.response_bytes");
    }
    body += *bytes;
    exchange.held_bytes = body.capacity();
  }
}

std::unique_ptr<Relay> make_relay(pipeline::Exchange& exchange, std::unique_ptr<http::ResponseStream> upstream,
                                  const RelayLimits& limits) {
  if (exchange.view->stream) return std::make_unique<StreamRelay>(exchange, std::move(upstream), limits);
  return std::make_unique<WholeRelay>(exchange, std::move(upstream), limits);
}

}  // namespace sluice::routing
