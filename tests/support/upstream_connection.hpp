#pragma once
// One connection of a scripted upstream, on a thread of its own. It always listens for the peer's end, whatever else
// it does, so that the time of a disconnect is exact.

#include <string>

#include "support/behaviour.hpp"
#include "support/channel.hpp"
#include "support/scripted_upstream.hpp"

namespace sluice::support {

class UpstreamConnection {
 public:
  UpstreamConnection(ScriptedUpstream& upstream, Channel& channel, std::size_t index)
      : upstream_(upstream), channel_(channel), index_(index) {}

  void run();

 private:
  // Each returns false when the connection or the upstream is at its end.
  bool read_request(ObservedRequest& request);
  bool perform(const Step& step);
  bool send(std::string_view bytes);
  bool hold(Clock::time_point until, int gate = -1);
  bool wait(short events, Clock::time_point until, int gate = -1);
  bool pull();
  void end(Step::Kind kind);
  void peer_left(End how);

  ScriptedUpstream& upstream_;
  Channel& channel_;
  std::size_t index_;
  std::string in_;
  bool gate_open_ = false;
};

}  // namespace sluice::support
