#pragma once
// What a scripted upstream does with one request: which bytes it sends, in which packets, and how it ends. Reads like
// a sentence: on("/v1/chat/completions").stream(chunks).then_reset_at(120).

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/http_text.hpp"
#include "support/socket.hpp"

namespace sluice::support {

// The smallest things an upstream can do.
struct Step {
  enum class Kind {
    kSend,    // bytes, as one packet
    kPause,   // time
    kGate,    // until the gate is open
    kHold,    // until the peer is gone
    kRepeat,  // bytes, again and again, until the peer is gone
    kFin,     // closes; sent bytes arrive first
    kReset    // closes with RST, once the sent bytes were acknowledged
  };
  Kind kind;
  std::string bytes = {};
  milliseconds time{0};
  std::shared_ptr<Gate> gate = nullptr;
};

class Behaviour {
 public:
  // What is answered. Without one of the bodies: an empty one.
  Behaviour& status(int code, std::string reason = "Scripted");
  Behaviour& header(std::string name, std::string value);
  Behaviour& json(std::string body);
  Behaviour& body(std::string content_type, std::string bytes);
  Behaviour& stream(const std::vector<std::string>& payloads);  // each as one event and one chunk
  Behaviour& sse(const std::vector<std::string>& texts);        // event-stream text, one chunk per entry
  Behaviour& raw(std::string bytes);                            // the whole response, verbatim
  Behaviour& line_end(std::string_view end);                    // of SSE text, instead of LF
  Behaviour& interim(std::string head);                         // e.g. "HTTP/1.1 103 Early Hints\r\n\r\n"
  Behaviour& early_hints() { return interim("HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"); }
  Behaviour& close_delimited();                   // no length, no chunks
  Behaviour& announce_length(std::size_t bytes);  // a content-length that may be a lie

  // How it is sent.
  Behaviour& delay(milliseconds time);      // before the first byte
  Behaviour& event_gap(milliseconds time);  // between the pieces of the body
  Behaviour& split_at(std::size_t byte);    // of everything sent, head included; may be called again
  Behaviour& byte_by_byte();
  Behaviour& one_packet();
  Behaviour& hold_head_until(std::shared_ptr<Gate> gate);
  Behaviour& then_wait_for(std::shared_ptr<Gate> gate);  // after the pieces so far
  Behaviour& then_stream(const std::vector<std::string>& payloads) { return stream(payloads); }

  // How it ends; by default as promised, with the connection kept.
  Behaviour& then_reset_at(std::size_t body_byte);  // of the body before chunk framing
  Behaviour& then_fin_at(std::size_t body_byte);
  Behaviour& then_reset() { return end_with(Step::Kind::kReset); }
  Behaviour& then_fin() { return end_with(Step::Kind::kFin); }
  Behaviour& stall() { return end_with(Step::Kind::kHold); }  // silent, but connected
  Behaviour& without_last_chunk();
  Behaviour& close_after_answer();      // ends as promised, then FIN
  Behaviour& stray(std::string bytes);  // behind the complete answer
  Behaviour& repeat_forever(std::string piece);
  Behaviour& hang();  // takes the request, never answers
  Behaviour& close_before_answer();
  Behaviour& reset_before_answer();

  std::vector<Step> steps() const;

 private:
  enum class Framing { kLength, kChunked, kUntilClose };
  struct Piece {
    std::string text;
    std::shared_ptr<Gate> gate;  // waited for before it
  };

  Behaviour& end_with(Step::Kind kind);
  Behaviour& add_piece(std::string text);
  void add_head(std::vector<Step>& steps) const;
  void add_body(std::vector<Step>& steps) const;
  void add_end(std::vector<Step>& steps) const;
  std::string framed(const std::string& piece) const;
  std::vector<Step> in_packets(const std::vector<Step>& steps) const;
  void add_packets(std::string_view bytes, std::size_t offset, std::vector<Step>& steps) const;

  int status_ = 200;
  std::string reason_ = "OK";
  Headers headers_;
  std::string content_type_;
  std::vector<Piece> pieces_;
  std::optional<std::string> raw_;
  std::string interim_, stray_, repeat_, line_end_;
  Framing framing_ = Framing::kLength;
  std::optional<std::size_t> announced_, cut_;
  std::shared_ptr<Gate> head_gate_, end_gate_;
  milliseconds delay_{0}, gap_{0};
  std::vector<std::size_t> splits_;
  bool byte_by_byte_ = false, one_packet_ = false, last_chunk_ = true, answers_ = true;
  std::optional<Step::Kind> end_;
};

}  // namespace sluice::support
