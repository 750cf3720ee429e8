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
constexpr std::size_t kKeptOut = 16 * 1024;       // what one big event needed is not kept for the rest of the stream

Error total_timed_out() {
  return fail(ErrorKind::kUpstreamTimeout, "The answer took longer than this gateway waits.", "total").error();
}

// Tells the three ways of waiting too long apart.
Error timed_out(Error error, bool total, bool first) {
  if (error.kind != ErrorKind::kUpstreamIdleTimeout || (!total && !first)) return error;
  if (total) return total_timed_out();
  return fail(ErrorKind::kUpstreamTimeout, "The upstream sent no token in time.", "first token").error();
}

// What a stream leaves behind however it ended, by return or by cancellation: what was used, as reported or else as
// counted here, and how to tell the client of a failure.
class StreamNote {
 public:
  StreamNote(pipeline::Exchange& exchange, const EventFilter& filter) : exchange_(exchange), filter_(filter) {}
  ~StreamNote() {
    try {
      note_usage();
      note_end();
    } catch (const std::bad_alloc&) {
      // Then the stream is cut without a word.
    }
  }

 private:
  void note_usage() {
    auto& usage = exchange_.record.usage;
    const auto& state = filter_.state();
    usage = state.usage();
    exchange_.record.events = filter_.events();
    if (usage.source != UsageSource::kNone || state.content_events() == 0) return;
    usage.source = UsageSource::kEstimated;
    usage.input = api::estimate_input_tokens(*exchange_.view);
    usage.output = static_cast<std::int64_t>(state.content_events());
  }
  void note_end() {
    const auto& state = filter_.state();
    exchange_.record.finish_reason = state.finish_reason();
    if (!exchange_.sink.started() || state.complete()) return;
    exchange_.failure_event = [state](const Error& error) { return state.failure_event(error); };
  }

  pipeline::Exchange& exchange_;
  const EventFilter& filter_;
};

bool is_event_stream(const http::ResponseHead& head) {
  const auto type = head.get("content-type");
  return equals_ignore_case(trim(type.substr(0, type.find(';'))), "text/event-stream");
}

http::ResponseStart stream_start(const pipeline::Exchange& exchange) {
  http::ResponseStart start{
      .status = 200, .content_type = "text/event-stream; charset=utf-8", .fields = exchange.passed_on};
  start.fields.emplace_back("cache-control", "no-cache, no-transform");
  start.fields.emplace_back("x-accel-buffering", "no");
  return start;
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

// A stream was asked for and a whole body came: an error in disguise, or an upstream that does not stream.
Task<Result<void>> refuse_whole_body(pipeline::Exchange& exchange, http::ResponseStream& upstream, RelayLimits limits) {
  auto body = co_await read_body(exchange, upstream, limits);
  if (!body) co_return std::unexpected(std::move(body.error()));
  auto answer = co_await judge(exchange, *body, limits.inline_bytes);
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  co_return fail(ErrorKind::kUpstreamInvalidResponse, "The upstream did not stream its answer.", "JSON instead of SSE");
}

struct StreamRelay {
  pipeline::Exchange& exchange;
  http::ResponseStream& upstream;
  const RelayLimits& limits;
  EventFilter& filter;
  std::string out;

  Task<Result<void>> run() {
    for (;;) {
      if (auto go = may_go_on(); !go) co_return go;
      const bool first = !exchange.sink.started();
      const auto now = Clock::now();
      // An upstream that always has something is never waited for.
      if (now >= limits.total_due) co_return std::unexpected(total_timed_out());
      const auto due = std::min(first ? limits.first_token_due : now + limits.idle, limits.total_due);
      auto more = take(co_await upstream.read_some(due), due == limits.total_due, first);
      if (!out.empty() && first) {
        exchange.record.phase = Phase::kStream;
        exchange.sink.start(stream_start(exchange));
      }
      if (more && !*more) break;
      if (!out.empty()) {
        auto sent = exchange.sink.write_now(out);
        if (!sent) sent = co_await wait_for_reader();
        if (!*sent) co_return std::move(*sent);
        clear_out();
      }
      if (!more) co_return std::unexpected(std::move(more.error()));
    }
    exchange.record.reached(Stage::kLastToken);
    co_return co_await exchange.sink.finish(out);
  }

  Result<void> may_go_on() const {
    if (!exchange.may_go_on) return {};
    return exchange.may_go_on(static_cast<std::int64_t>(filter.state().content_events()));
  }

  // The upstream is not read meanwhile, and of all that the stream holds only what has to be sent stays.
  Task<Result<void>> wait_for_reader() {
    upstream.pause();
    exchange.held_bytes = out.capacity();
    auto sent = co_await exchange.sink.flush();
    exchange.held_bytes = 0;
    co_return sent;
  }

  void clear_out() {
    out.clear();
    if (out.capacity() > kKeptOut) out.shrink_to_fit();
  }

  // One read, filtered into `out`. False when the answer is complete; what is in `out` then goes out with its end.
  Result<bool> take(Result<std::string_view> bytes, bool total, bool first) {
    if (!bytes) return std::unexpected(timed_out(std::move(bytes.error()), total, first));
    const bool had_content = filter.state().content_events() > 0;
    auto filtered = bytes->empty() ? filter.finish(out) : filter.feed(*bytes, out);
    if (!had_content && filter.state().content_events() > 0) exchange.record.reached(Stage::kFirstToken);
    if (!filtered) return std::unexpected(std::move(filtered.error()));
    return !bytes->empty() && !filter.complete();
  }
};

}  // namespace

Task<Result<std::string>> read_body(pipeline::Exchange& exchange, http::ResponseStream& upstream, RelayLimits limits) {
  std::string body;
  body.reserve(std::min<std::size_t>(upstream.head().content_length, kFirstReserve));
  for (;;) {
    const auto due = std::min(Clock::now() + limits.idle, limits.total_due);
    auto bytes = co_await upstream.read_some(due);
    if (!bytes) co_return std::unexpected(timed_out(std::move(bytes.error()), due == limits.total_due, false));
    if (bytes->empty()) co_return body;
    if (body.size() + bytes->size() > limits.response_bytes) {
      co_return fail(ErrorKind::kUpstreamInvalidResponse, "The upstream's answer is too large.",
                     "limits.response_bytes");
    }
    body += *bytes;
    exchange.held_bytes = body.capacity();
  }
}

Task<Result<void>> relay_stream(pipeline::Exchange& exchange, std::unique_ptr<http::ResponseStream> upstream,
                                RelayLimits limits) {
  exchange.record.phase = Phase::kFirstToken;
  if (!is_event_stream(upstream->head())) {
    co_return co_await refuse_whole_body(exchange, *upstream, limits);
  }
  EventFilter filter({.endpoint = exchange.endpoint, .hide_usage = limits.hide_usage}, limits.event_bytes,
                     limits.redactor);
  StreamNote note(exchange, filter);
  StreamRelay relay{exchange, *upstream, limits, filter, {}};
  auto relayed = co_await relay.run();
  if (relayed) http::ResponseStream::finish(std::move(upstream));
  co_return relayed;
}

Task<Result<void>> relay_whole(pipeline::Exchange& exchange, std::unique_ptr<http::ResponseStream> upstream,
                               RelayLimits limits) {
  exchange.record.phase = Phase::kAnswer;
  auto body = co_await read_body(exchange, *upstream, limits);
  if (!body) co_return std::unexpected(std::move(body.error()));
  upstream.reset();
  auto answer = co_await judge(exchange, *body, limits.inline_bytes);
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  exchange.record.usage = answer->usage;
  exchange.record.finish_reason = answer->finish_reason;
  exchange.record.reached(Stage::kFirstToken);
  exchange.record.reached(Stage::kLastToken);
  co_return co_await exchange.sink.respond({.fields = exchange.passed_on}, *body);
}

}  // namespace sluice::routing
