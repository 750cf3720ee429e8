#pragma once
// The only way to talk to a client: push side of an exchange.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/core/async.hpp"
#include "sluice/core/clock.hpp"
#include "sluice/core/error.hpp"

namespace sluice::http {

// What an answer's head says beyond what the connection adds by itself (date, framing, request ids).
struct ResponseStart {
  int status = 200;
  std::string_view content_type = "application/json";
  std::vector<std::pair<std::string_view, std::string>> fields{};  // values are checked before they are written
};

// The head of a stream of events that no proxy on the way should hold back.
inline ResponseStart event_stream(std::vector<std::pair<std::string_view, std::string>> fields) {
  fields.emplace_back("cache-control", "no-cache, no-transform");
  fields.emplace_back("x-accel-buffering", "no");
  return {.status = 200, .content_type = "text/event-stream; charset=utf-8", .fields = std::move(fields)};
}

class ResponseSink {
 public:
  virtual ~ResponseSink() = default;

  // Whether anything of an answer has been handed to the connection: from then on nothing can be taken back.
  virtual bool started() const = 0;

  // However steadily the client reads: nothing waits for it beyond `due`. For this exchange.
  virtual void end_by(TimePoint due) = 0;

  // A whole answer. Errors of all: kClientGone, kClientStalled.
  virtual Task<Result<void>> respond(ResponseStart start, std::string_view body) = 0;

  // An answer in pieces. The head leaves with the first piece; finish() ends the body properly, and an exchange that
  // ends without it cuts the connection, so that nobody takes the answer for complete.
  virtual void start(ResponseStart start) = 0;
  virtual Task<Result<void>> finish(std::string_view last_bytes) = 0;
  // Writing has two halves, so that what fits the connection's buffer costs no coroutine, and whoever writes can give
  // back memory before waiting for a slow reader. Nothing: flush() sends the rest, and `bytes` stays until it has.
  virtual std::optional<Result<void>> write_now(std::string_view bytes) = 0;
  virtual Task<Result<void>> flush() = 0;
};

}  // namespace sluice::http
