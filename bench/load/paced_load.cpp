#include "paced_load.hpp"

#include "texts.hpp"

namespace sluice::bench {

PacedLoad::PacedLoad(const PacedLoadOptions& options)
    : options_(options),
      request_(chat_request({.body_bytes = options.body_bytes, .stream = false, .label = {}})),
      interval_(std::chrono::nanoseconds(1'000'000'000 / options.rate)) {
  for (std::size_t i = 0; i < options_.connections; ++i) {
    slots_.push_back(std::make_unique<Slot>(loop_, *this, options_.port));
    free_.push_back(slots_.back().get());
  }
}

bool PacedLoad::run() {
  next_ = Clock::now();
  run_until(next_ + options_.warm_up);
  measuring_ = true;
  print_line(R"({"phase":"measure","count":0})");
  run_until(Clock::now() + options_.measure);
  measuring_ = false;
  print_line(R"({"phase":"measured","count":)" + std::to_string(latency_.size()) + "}");
  const Time patience = Clock::now() + std::chrono::seconds(5);
  while (free_.size() < slots_.size() && Clock::now() < patience) loop_.poll(patience);
  if (free_.size() < slots_.size()) failures_.add("no answer for five seconds");
  print_line(R"({"result":{"latency":)" + latency_.json() + "," + failures_.json() + "}}");
  return failures_.count() == 0;
}

void PacedLoad::run_until(Time end) {
  for (Time now = Clock::now(); now < end; now = Clock::now()) {
    send_due(now);
    loop_.poll(std::min(end, next_));
  }
}

// With every connection busy the request waits for one, and its time counts on.
void PacedLoad::send_due(Time now) {
  while (next_ <= now && !free_.empty()) {
    Slot& slot = *free_.back();
    free_.pop_back();
    slot.wanted = next_;
    next_ += interval_;
    slot.start(request_);
  }
  if (next_ <= now) loop_.poll(now + std::chrono::milliseconds(10));
}

void PacedLoad::on_progress(Call& call) {
  if (call.busy()) return;
  auto& slot = static_cast<Slot&>(call);
  if (measuring_) latency_.add(Clock::now() - slot.wanted);
  if (call.reader().status() != 200 || call.reader().body().find(kEndMark) == std::string::npos) {
    failures_.add(std::string(call.reader().head()) + call.reader().body());
  }
  free_.push_back(&slot);
}

void PacedLoad::on_broken(Call& call, std::string_view why) {
  failures_.add(why);
  free_.push_back(&static_cast<Slot&>(call));
}

}  // namespace sluice::bench
