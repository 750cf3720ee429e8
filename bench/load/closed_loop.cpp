#include "closed_loop.hpp"

namespace sluice::bench {

ClosedLoop::ClosedLoop(const ClosedLoopOptions& options)
    : options_(options),
      request_(chat_request({.model = options.model, .body_bytes = options.body_bytes, .head = options.head})),
      number_(options.first) {
  for (std::size_t i = 0; i < options_.connections; ++i) {
    calls_.push_back(std::make_unique<Call>(loop_, *this, options_.port));
  }
}

bool ClosedLoop::run() {
  const Time start = Clock::now();
  for (const auto& call : calls_) ask(*call);
  busy_ = calls_.size();
  poll_until(start + options_.warm_up);
  phase_ = Phase::kMeasure;
  print_line(R"({"phase":"measure","count":0})");
  const Time from = Clock::now();
  poll_until(from + options_.measure);
  phase_ = Phase::kEnd;
  const std::chrono::duration<double> took = Clock::now() - from;
  print_line(R"({"phase":"measured","count":)" + std::to_string(latency_.size()) + "}");
  poll_until(Clock::now() + std::chrono::seconds(5));
  if (busy_ > 0 && failures_.count() == 0) failures_.add("no answer for five seconds");
  const double rate = static_cast<double>(latency_.size()) / took.count();
  print_line(R"({"result":{"per_second":)" + std::to_string(rate) + R"(,"latency":)" + latency_.json() + "," +
             failures_.json() + "}}");
  return failures_.count() == 0;
}

void ClosedLoop::poll_until(Time end) {
  while (busy_ > 0 && failures_.count() == 0 && Clock::now() < end) loop_.poll(end);
}

void ClosedLoop::on_progress(Call& call) {
  if (call.busy()) return;
  const Time now = Clock::now();
  if (phase_ == Phase::kMeasure) latency_.add(now - call.started());
  check(call);
  if (phase_ == Phase::kEnd) {
    --busy_;
  } else {
    ask(call);
  }
}

void ClosedLoop::ask(Call& call) {
  if (!options_.distinct && options_.vary.empty()) return call.start(request_);
  std::string& request = distinct_[&call];
  request = chat_request(next());
  call.start(request);
}

RequestText ClosedLoop::next() {
  constexpr std::int64_t kFirstSeed = 1'000'000'000;  // all of one length
  RequestText text{.model = options_.model, .body_bytes = options_.body_bytes, .head = options_.head};
  const std::int64_t number = number_++;
  if (options_.distinct) text.seed = kFirstSeed + number;
  const std::string name = std::to_string(options_.names > 0 ? number % options_.names : number);
  if (options_.vary == "model") text.model += "-" + name;
  if (options_.vary == "path") text.path = "/v1/bench-" + name;
  if (options_.vary == "method") text.method = "BENCH" + name;
  return text;
}

void ClosedLoop::check(Call& call) {
  const std::string& body = call.reader().body();
  if (call.reader().status() != options_.status) return failures_.add(std::string(call.reader().head()) + body);
  if (options_.status != 200) return;
  if (!body.ends_with('}') || body.find(kEndMark) == std::string::npos ||
      body.find("\"total_tokens\":") == std::string::npos) {
    failures_.add("not the answer of the upstream: " + body);
  }
}

void ClosedLoop::on_broken(Call&, std::string_view why) {
  --busy_;
  failures_.add(why);
}

}  // namespace sluice::bench
