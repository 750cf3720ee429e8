#pragma once
// A blocking HTTP client that sends exactly the bytes it is told to. Every wait is bounded; nothing throws after
// the connection stands: what went wrong is in the result.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/canary.hpp"
#include "support/channel.hpp"
#include "support/http_text.hpp"

namespace sluice::support {

struct SseEvent {
  std::string text;  // the frame as it came, without the blank line
  Clock::time_point at;

  std::string data() const;  // "data:" lines joined by a line feed
};

struct Response {
  int status = 0;  // 0: no head came
  Head head;
  std::vector<int> interim;  // statuses of 1xx heads before it
  std::string body;
  bool complete = false;         // the body ended as its framing promised
  End end = End::kOpen;          // kOpen also when the time was up
  std::vector<SseEvent> events;  // complete frames of the body, with arrival times

  std::string header(std::string_view name) const { return head.get(name); }
};

class RawClient {
 public:
  struct Options {
    int receive_buffer = 0;
    SSL_CTX* tls = nullptr;  // null: plain. The handshake is made by the first use.
  };
  explicit RawClient(std::uint16_t port) : RawClient(port, Options{}) {}
  RawClient(std::uint16_t port, Options options);

  // False when the far side was gone or the bytes could not be sent in time.
  bool send(std::string_view bytes, milliseconds timeout = 10s);
  // One packet per piece; `offsets` are increasing.
  bool send_split(std::string_view bytes, const std::vector<std::size_t>& offsets);

  // Reads one whole response; bytes behind it stay for the next call.
  Response read_response(milliseconds timeout = 10s, bool to_head_request = false);
  // The head alone; go on with next_event() or finish().
  bool read_head(milliseconds timeout = 10s);
  std::optional<SseEvent> next_event(milliseconds timeout = 10s);
  Response finish(milliseconds timeout = 10s);
  const Response& response() const { return response_; }

  // Waits for the far side to end the connection; what it still sends is kept in unread().
  End wait_end(milliseconds timeout = 5s);
  // True if not one byte comes within the time: for "nothing must happen" only.
  bool stays_silent(milliseconds time);
  const std::string& unread() const { return wire_; }

  void say_goodbye() { channel_->say_goodbye(); }  // TLS: close_notify, and nothing else
  void shutdown_write() { support::shutdown_write(fd()); }
  void close() { channel_->close(); }
  void cut() { channel_->cut(); }      // TLS: without close_notify
  void reset() { channel_->reset(); }  // closes with RST
  int fd() const { return channel_->fd(); }
  SSL* ssl() const { return channel_->ssl(); }
  // TLS: whether the far side has said that it was at its end.
  bool heard_goodbye() const { return (SSL_get_shutdown(ssl()) & SSL_RECEIVED_SHUTDOWN) != 0; }

 private:
  bool fill(Clock::time_point deadline);
  void take_body();
  void split_events();

  std::unique_ptr<Channel> channel_;
  std::string wire_;
  SecretWatch watch_;
  Response response_;
  std::optional<BodyReader> body_;
  std::size_t scanned_ = 0;  // of response_.body: complete events up to here
  std::size_t handed_out_ = 0;
  End end_ = End::kOpen;
};

// Request texts. `head` lines come verbatim, each ended by CR LF; a credential is added unless there is one.
std::string get_request(std::string_view target, std::string_view head = "");
std::string post_request(std::string_view target, std::string_view body, std::string_view head = "");

// One request on a connection of its own.
Response fetch(std::uint16_t port, std::string_view request, milliseconds timeout = 10s);

}  // namespace sluice::support
