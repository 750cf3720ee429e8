#pragma once
// One accepted connection of the fake upstream: request after request, one at a time, with a read always pending so
// that a peer which goes away mid-stream is noticed at once.

#include <string>

#include "message_reader.hpp"
#include "net.hpp"
#include "upstream.hpp"

namespace sluice::bench {

class UpstreamConnection : public Handler {
 public:
  UpstreamConnection(Upstream& owner, std::uint64_t id, Fd fd);
  void on_ready(std::uint32_t events) override;  // may destroy this
  // Writes what is due at `due` and plans what comes next. False: it cannot, and wants to be closed.
  bool write_next(Time due);
  void close();  // destroys this

 private:
  bool receive();
  bool answer();
  bool begin_stream(std::string_view body);
  bool write(std::string_view bytes);
  bool flush();

  Upstream& owner_;
  std::uint64_t id_;
  Fd fd_;
  MessageReader reader_;
  std::string unsent_;
  bool waits_to_write_ = false;
  // Of the stream under way.
  bool streaming_ = false, usage_ = false;
  std::int64_t left_ = 0;
  std::chrono::milliseconds interval_{};
  std::string label_;
};

}  // namespace sluice::bench
