#include "cache/follow.hpp"

#include <boost/asio/this_coro.hpp>

#include "cache/recast.hpp"
#include "cache/replay.hpp"
#include "sluice/api/answer.hpp"
#include "sluice/pipeline/deadline.hpp"

namespace sluice::cache {
namespace {

using observe::Stage;

// One follower's reading of a stream.
class Reading {
 public:
  Reading(pipeline::Exchange& exchange, std::function<void()> begin) : exchange_(exchange), begin_(std::move(begin)) {}

  bool started() const { return started_; }

  Task<Result<void>> pass_on(std::string_view events) {
    if (events.empty()) co_return Result<void>{};
    if (!started_) start();
    exchange_.record.events += events_in(events);
    auto sent = exchange_.sink->write_now(events);
    co_return sent ? std::move(*sent) : co_await exchange_.sink->flush();
  }

  Task<Result<void>> finish(const Entry& entry) {
    if (!started_) start();
    exchange_.record.reached(Stage::kLastToken);
    const std::string end = stream_end(exchange_, entry);
    exchange_.record.events += events_in(end);
    co_return co_await exchange_.sink->finish(end);
  }

 private:
  void start() {
    started_ = true;
    begin_();
    exchange_.record.phase = observe::Phase::kStream;
    exchange_.record.reached(Stage::kFirstToken);
    exchange_.record.committed = Clock::now();
    exchange_.failure_event = [endpoint = exchange_.endpoint](const Error& error) {
      return api::StreamState({.endpoint = endpoint}).failure_event(error);
    };
    exchange_.sink->start(http::event_stream(exchange_.passed_on));
  }

  pipeline::Exchange& exchange_;
  std::function<void()> begin_;
  bool started_ = false;
};

Error too_slow() {
  return fail(ErrorKind::kUpstreamTruncated, "The answer came faster than this client read it.", "follower").error();
}

}  // namespace

Task<Followed> follow(pipeline::Exchange& exchange, std::shared_ptr<Flight> flight, std::function<void()> begin) {
  Flight::Seat seat(flight, co_await net::this_coro::executor);
  const bool streams = exchange.view->stream && has_streams(exchange.endpoint) && flight->streams();
  const auto due = pipeline::deadline_of(exchange);
  Reading reading(exchange, std::move(begin));
  std::string events;
  for (;;) {
    const auto ended = seat.ended();
    const bool kept = seat.fetch(events);
    const bool failed = ended && !*ended;
    if (streams && kept && !failed) {
      if (auto sent = co_await reading.pass_on(events); !sent) co_return Followed{.sent = std::move(sent)};
    }
    if (failed && reading.started()) co_return Followed{.sent = std::unexpected((*ended).error())};
    if (failed) co_return Followed{.refused = ended->error()};
    if (!kept && reading.started()) co_return Followed{.sent = std::unexpected(too_slow())};
    if (!kept) co_return Followed{};
    if (ended && streams) co_return Followed{.sent = co_await reading.finish(***ended), .entry = **ended};
    if (ended) co_return Followed{.entry = **ended};
    if (Clock::now() >= due) {
      co_return Followed{
          .sent = fail(ErrorKind::kUpstreamTimeout, "The answer took longer than the client waits.", "follower")};
    }
    co_await seat.wait(due);
  }
}

}  // namespace sluice::cache
