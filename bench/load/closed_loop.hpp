#pragma once
// `connections` clients that each send the next request when the answer to the last has come. Checks every answer.

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "call.hpp"
#include "samples.hpp"
#include "texts.hpp"

namespace sluice::bench {

struct ClosedLoopOptions {
  std::uint16_t port = 0;
  std::size_t connections = 1;
  std::size_t body_bytes = 1500;
  std::string model = "bench";
  int status = 200;        // of every answer; one that is not 200 is not looked at any further
  bool distinct = false;   // each request has another seed,
  std::string vary;        // or another model, path or method: the name that stands here. Empty: the same each time
  std::int64_t first = 0;  // number of the first of them
  std::int64_t names = 0;  // so many of them, in turn; 0: never the same again
  std::string head;
  std::chrono::milliseconds warm_up{500};
  std::chrono::milliseconds measure{3000};
};

class ClosedLoop : public CallOwner {
 public:
  explicit ClosedLoop(const ClosedLoopOptions& options);
  // Prints {"phase":"measure"}, {"phase":"measured"} and the result. False: something failed.
  bool run();

  void on_progress(Call& call) override;
  void on_broken(Call& call, std::string_view why) override;

 private:
  enum class Phase { kWarmUp, kMeasure, kEnd };

  void poll_until(Time end);
  void ask(Call& call);
  RequestText next();
  void check(Call& call);

  ClosedLoopOptions options_;
  Loop loop_;
  std::string request_;
  std::unordered_map<Call*, std::string> distinct_;  // requests under way, where each is another
  std::int64_t number_ = 0;                          // of the next request
  std::vector<std::unique_ptr<Call>> calls_;
  Phase phase_ = Phase::kWarmUp;
  std::size_t busy_ = 0;
  Samples latency_;
  Failures failures_;
};

}  // namespace sluice::bench
