#pragma once
// What goes over the wire: requests of the load driver, answers of the fake upstream, and the marks by which the
// driver knows that an answer arrived whole. The same bytes on every run.

#include <cstddef>
#include <string>
#include <string_view>

#include "net.hpp"

namespace sluice::bench {

// Stands at the very end of the generated text of a JSON answer.
inline constexpr std::string_view kEndMark = "That is the whole answer.";

struct RequestText {
  std::string method = "POST";
  std::string path = "/v1/chat/completions";
  std::string model = "bench";
  std::size_t body_bytes = 1500;  // about
  bool stream = false;
  std::string label = {};        // sent as "user"; the upstream reports the end of labelled streams
  std::int64_t interval_ms = 0;  // asks the upstream for another pace than its own; 0: does not ask
  std::int64_t seed = 0;         // 0: none
  std::string head = {};         // more lines of the head, each with its end
};

// A whole request, head and body.
std::string chat_request(const RequestText& request);

// The JSON text of a chat.completion of about `bytes` bytes.
std::string chat_answer(std::size_t bytes);

std::string json_response(std::string_view status, std::string_view body);
inline constexpr std::string_view kStreamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
    "X-Request-Id: req_bench\r\nTransfer-Encoding: chunked\r\n\r\n";

// The events of one stream, each framed as one HTTP chunk.
std::string role_event();
std::string finish_event();
std::string usage_event(std::size_t completion_tokens);
std::string done_event();  // with the chunk that ends the body
// A content event carries the moment it was written, in nanoseconds of Clock.
class ContentEvent {
 public:
  ContentEvent();
  std::string_view stamped(Time now);

 private:
  std::string text_;
  std::size_t stamp_at_;
};
// The moment in a content event; the epoch when there is none.
Time stamp_of(std::string_view event);

}  // namespace sluice::bench
