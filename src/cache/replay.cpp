#include "cache/replay.hpp"

#include <algorithm>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/this_coro.hpp>

#include "cache/recast.hpp"

namespace sluice::cache {
namespace {

constexpr std::size_t kSlice = 64 * 1024;

bool wants_stream(const pipeline::Exchange& exchange) {
  return exchange.view->stream && has_streams(exchange.endpoint);
}

std::string usage_event(const pipeline::Exchange& exchange, const Entry& entry) {
  if (!exchange.view->wants_usage) return {};
  if (entry.form == Entry::Form::kBody) return usage_event_of_body(exchange.endpoint, entry.body);
  if (!entry.usage_event.empty()) return entry.usage_event;
  return usage_event_of(exchange.endpoint, entry.body, entry.usage);
}

bool put_stream(const pipeline::Exchange& exchange, const Entry& entry, Playback& out) {
  out.end = stream_end(exchange, entry);
  if (entry.form == Entry::Form::kEvents) {
    out.body = entry.body;
    out.pieces = entry.pieces;
    out.events = entry.events + events_in(out.end);
    return true;
  }
  const auto events = events_of(exchange.endpoint, entry.body);
  if (!events) return false;
  for (const std::string& event : *events) {
    out.made += event;
    out.pieces.push_back({static_cast<std::uint32_t>(out.made.size()), 0});
  }
  out.body = out.made;
  out.events = events->size() + events_in(out.end);
  return true;
}

bool put_body(const pipeline::Exchange& exchange, const Entry& entry, Playback& out) {
  if (entry.form == Entry::Form::kBody) {
    out.body = entry.body;
    return true;
  }
  const std::string usage =
      entry.usage_event.empty() ? usage_event_of(exchange.endpoint, entry.body, entry.usage) : entry.usage_event;
  auto made = body_of(exchange.endpoint, entry.body, usage);
  if (!made) return false;
  out.made = std::move(*made);
  out.body = out.made;
  return true;
}

Task<Result<void>> write(http::ResponseSink& sink, std::string_view bytes) {
  auto sent = sink.write_now(bytes);
  co_return sent ? std::move(*sent) : co_await sink.flush();
}

// As the answer came: pause by pause.
Task<Result<void>> play_paced(http::ResponseSink& sink, const Playback& playback) {
  net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> timer(co_await net::this_coro::executor);
  const auto begun = Clock::now();
  std::size_t at = 0;
  for (const Entry::Piece& piece : playback.pieces) {
    const auto due = begun + milliseconds(piece.at_ms);
    if (due > Clock::now()) {
      timer.expires_at(due);
      co_await timer.async_wait(net::deferred);
    }
    if (auto sent = co_await write(sink, playback.body.substr(at, piece.end - at)); !sent) co_return sent;
    at = piece.end;
  }
  co_return Result<void>{};
}

Task<Result<void>> play_at_once(http::ResponseSink& sink, std::string_view body) {
  while (!body.empty()) {
    if (auto sent = co_await write(sink, body.substr(0, kSlice)); !sent) co_return sent;
    body.remove_prefix(std::min(body.size(), kSlice));
  }
  co_return Result<void>{};
}

}  // namespace

std::string stream_end(const pipeline::Exchange& exchange, const Entry& entry) {
  return usage_event(exchange, entry) + (exchange.endpoint == Endpoint::kResponses ? "" : "data: [DONE]\n\n");
}

std::unique_ptr<Playback> playback(const pipeline::Exchange& exchange, const Entry& entry) {
  auto made = std::make_unique<Playback>();
  const bool good = wants_stream(exchange) ? put_stream(exchange, entry, *made) : put_body(exchange, entry, *made);
  return good ? std::move(made) : nullptr;
}

Task<Result<void>> play(pipeline::Exchange& exchange, const Playback& playback, config::Replay pace) {
  http::ResponseSink& sink = *exchange.sink;
  if (!wants_stream(exchange)) co_return co_await sink.respond({.fields = exchange.passed_on}, playback.body);
  sink.start(http::event_stream(exchange.passed_on));
  if (playback.body.size() <= kSlice && pace == config::Replay::kAtOnce) {
    co_return co_await sink.finish(std::string(playback.body) + playback.end);
  }
  auto sent =
      pace == config::Replay::kPaced ? co_await play_paced(sink, playback) : co_await play_at_once(sink, playback.body);
  if (!sent) co_return sent;
  co_return co_await sink.finish(playback.end);
}

}  // namespace sluice::cache
