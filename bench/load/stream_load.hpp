#pragma once
// `streams` clients that always have a stream open: each opens the next when the last has ended. They start spread over
// the length of one stream, so that openings and ends are spread evenly from then on, and only then is measured.
// Checks that every stream brings its role, all its content events, finish, usage and [DONE], in this order.

#include <memory>
#include <vector>

#include "call.hpp"
#include "samples.hpp"

namespace sluice::bench {

struct StreamLoadOptions {
  std::uint16_t port = 0;
  std::size_t streams = 1000;
  std::int64_t events = 40;                // as the upstream was told
  std::chrono::milliseconds interval{50};  // as the upstream was told
  std::chrono::milliseconds measure{4000};
};

// Where one stream stands: the order its events must come in.
struct StreamProgress {
  enum class Next { kRole, kContent, kUsage, kDone, kEnd };
  Next next = Next::kRole;
  std::int64_t contents = 0;
  Time last;  // content event
};

class StreamLoad : public CallOwner {
 public:
  explicit StreamLoad(const StreamLoadOptions& options);
  // Prints {"phase":"measure"}, {"phase":"measured"} with the events relayed between them, and the result.
  bool run();

  void on_progress(Call& call) override;
  void on_broken(Call& call, std::string_view why) override;

 private:
  struct Slot : Call {
    using Call::Call;
    StreamProgress progress;
  };

  void plan_starts();
  void poll_until(Time end);
  void open(Slot& slot);
  void take_events(Slot& slot, Time now);
  bool take_event(Slot& slot, std::string_view event, Time now);
  void take_content(Slot& slot, std::string_view event, Time now);

  StreamLoadOptions options_;
  Loop loop_;
  std::string request_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<Time> starts_;
  std::size_t started_ = 0, open_ = 0;
  bool measuring_ = false, reopening_ = true;
  Time measured_from_;
  std::uint64_t events_ = 0, streams_ = 0;
  Samples ttft_, gap_, delay_;
  Failures failures_;
};

}  // namespace sluice::bench
