#pragma once
// Server-sent events, decoding side (HTML Standard, section 9.2.6 "Interpreting an event stream"), sans-I/O.

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "sluice/core/error.hpp"

namespace sluice::sse {

struct Event {
  std::string_view type;  // of the `event` field; empty if there was none
  std::string_view data;  // `data` fields joined by \n
  bool has_data = false;
};

// Takes a byte stream in pieces of any size and calls back once per dispatched event. LF, CRLF and CR end lines, also
// when a piece ends between CR and LF. Comments, `id`, `retry` and unknown fields are swallowed, as is a byte order
// mark at the start. An event without any `data` line is dispatched only if it has a type.
// Memory: at most `limit` bytes are kept, only while an event is incomplete.
class Decoder {
 public:
  explicit Decoder(std::size_t limit) : limit_(limit) {}

  // The views in an event are valid during the call only. `sink` returns false to stop early. kUpstreamEventTooBig
  // when one event outgrows the limit.
  using Sink = std::function<bool(const Event&)>;
  Result<void> feed(std::string_view bytes, const Sink& sink);

  // The stream ended: an event whose final blank line is missing is dispatched all the same.
  Result<void> finish(const Sink& sink);

 private:
  bool line(std::string_view text, const Sink& sink);
  bool dispatch(const Sink& sink);
  Result<void> keep(std::string_view bytes);

  std::size_t limit_;
  std::string carry_;  // an incomplete line
  std::string type_;
  std::string data_;  // data of the event so far, when it did not fit one piece
  bool has_data_ = false;
  bool skip_lf_ = false;
  bool at_start_ = true;
};

// `event: type\n` if there is a type, then one `data: ` line per line of `data`, then a blank line.
void append_event(std::string& out, std::string_view type, std::string_view data);

}  // namespace sluice::sse
