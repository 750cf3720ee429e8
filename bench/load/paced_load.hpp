#pragma once
// Requests at a fixed rate, as they come from many users who know nothing of each other: the next one is sent when its
// time has come, not when the last was answered. Latency counts from that time. Checks every answer.

#include <memory>
#include <string>
#include <vector>

#include "call.hpp"
#include "samples.hpp"

namespace sluice::bench {

struct PacedLoadOptions {
  std::uint16_t port = 0;
  std::int64_t rate = 200;       // requests per second
  std::size_t connections = 64;  // at most; kept alive
  std::size_t body_bytes = 1500;
  std::chrono::milliseconds warm_up{500};
  std::chrono::milliseconds measure{5000};
};

class PacedLoad : public CallOwner {
 public:
  explicit PacedLoad(const PacedLoadOptions& options);
  // Prints {"phase":"measure"}, {"phase":"measured"} and the result. Goes on after a failure. False: there was one.
  bool run();

  void on_progress(Call& call) override;
  void on_broken(Call& call, std::string_view why) override;

 private:
  struct Slot : Call {
    using Call::Call;
    Time wanted;
  };

  void send_due(Time now);
  void run_until(Time end);

  PacedLoadOptions options_;
  Loop loop_;
  std::string request_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<Slot*> free_;  // the one used last comes first
  Clock::duration interval_;
  Time next_;
  bool measuring_ = false;
  Samples latency_;
  Failures failures_;
};

}  // namespace sluice::bench
