// Which tools are called, how often they fail, and how long they take.

#include "report/cells.hpp"
#include "report/questions.hpp"

namespace sluice::report {
namespace {

class Tools final : public Question {
 public:
  Tools(Names by, std::size_t most) : groups_(std::move(by), most) {}

  void take(const TraceLine& line) override {
    if (line.event != Event::kToolCall) return;
    Sums& sums = groups_.of(line);
    sums.calls += line.weight;
    sums.failed += line.call_failed ? line.weight : 0;
    // A line tells how many equal calls came before it; each such line is one call more than was needed.
    sums.retries += line.retries > 0 ? line.weight : 0;
    if (line.duration_us) sums.duration.add(*line.duration_us, line.weight);
  }
  Table answer() const override {
    return groups_.table(numbers({"calls", "failed", "failed_percent", "retries", "p50_ms", "p95_ms", "p99_ms"}),
                         [](const Sums& sums) {
                           return std::vector<std::string>{
                               whole(sums.calls),    whole(sums.failed),    percent_of(sums.failed, sums.calls),
                               whole(sums.retries),  ms(sums.duration, 50), ms(sums.duration, 95),
                               ms(sums.duration, 99)};
                         });
  }
  std::string note() const override { return note_of(groups_.folded()); }

 private:
  struct Sums {
    double calls = 0, failed = 0, retries = 0;
    Spread duration;
    auto weight() const { return calls; }
    void operator+=(const Sums& other) {
      calls += other.calls;
      failed += other.failed;
      retries += other.retries;
      duration += other.duration;
    }
  };
  Groups<Sums> groups_;
};

}  // namespace

std::unique_ptr<Question> make_tools(Names by, std::size_t most) {
  return std::make_unique<Tools>(std::move(by), most);
}

}  // namespace sluice::report
