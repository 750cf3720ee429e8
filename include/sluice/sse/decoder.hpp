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
// Memory: at most `limit` bytes are kept, only while an event is incomplete. An event of one data line that lies
// whole in one piece is handed on as views into that piece, without a copy.
class Decoder {
 public:
  explicit Decoder(std::size_t limit) : limit_(limit) {}
  Decoder(const Decoder&) = delete;  // views point into its own strings
  Decoder& operator=(const Decoder&) = delete;

  // The views in an event are valid during the call only. `sink` returns false to stop early; the rest of the piece
  // is then lost. kUpstreamEventTooBig when one event (its type, its data and the line at hand) outgrows the limit;
  // how the bytes were split makes no difference to that.
  using Sink = std::function<bool(const Event&)>;
  Result<void> feed(std::string_view bytes, const Sink& sink);

  // The stream ended: an event whose final blank line is missing is dispatched all the same.
  Result<void> finish(const Sink& sink);

 private:
  struct Window;  // the piece at hand and where its next line ends
  // One line without its end. `stable`: the view outlives the next line. False: the sink wants no more.
  Result<bool> line(std::string_view text, bool stable, const Sink& sink);
  void field(std::string_view name, std::string_view value, bool stable);
  void add_data(std::string_view value, bool stable);
  bool dispatch(const Sink& sink);
  Result<void> carry(std::string_view rest);
  void keep_views();
  bool too_big(std::size_t more) const { return type_.size() + data_.size() + more > limit_; }

  std::size_t limit_;
  std::string carry_;  // an incomplete line
  // What the event holds so far: views into the piece at hand, or into the strings once they had to be kept.
  std::string_view type_;
  std::string_view data_;
  std::string kept_type_;
  std::string kept_data_;
  bool has_data_ = false;
  bool data_kept_ = false;
  bool skip_lf_ = false;
  bool at_start_ = true;
};

// `event: type\n` if there is a type, then one `data: ` line per line of `data`, then a blank line.
void append_event(std::string& out, std::string_view type, std::string_view data);

}  // namespace sluice::sse
