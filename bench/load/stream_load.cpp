#include "stream_load.hpp"

#include <algorithm>
#include <random>

#include "texts.hpp"

namespace sluice::bench {
namespace {

bool contains(std::string_view text, std::string_view what) { return text.find(what) != std::string_view::npos; }

}  // namespace

StreamLoad::StreamLoad(const StreamLoadOptions& options)
    : options_(options), request_(chat_request({.body_bytes = 1500, .stream = true, .label = {}})) {
  for (std::size_t i = 0; i < options_.streams; ++i) {
    slots_.push_back(std::make_unique<Slot>(loop_, *this, options_.port));
  }
}

void StreamLoad::plan_starts() {
  // Evenly, then each moved by up to one interval: without that, streams would tick together in groups.
  const std::chrono::nanoseconds length = options_.interval * options_.events;
  std::mt19937_64 random(20);
  std::uniform_int_distribution<std::int64_t> within(0, std::chrono::nanoseconds(options_.interval).count());
  const Time now = Clock::now();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const auto even = length * static_cast<std::int64_t>(i) / static_cast<std::int64_t>(slots_.size());
    starts_.push_back(now + even + std::chrono::nanoseconds(within(random)));
  }
  std::ranges::sort(starts_);
}

bool StreamLoad::run() {
  const auto length = options_.interval * options_.events;
  plan_starts();
  poll_until(starts_.back() + std::chrono::milliseconds(200));
  measuring_ = true;
  measured_from_ = Clock::now();
  print_line(R"({"phase":"measure","count":0})");
  poll_until(measured_from_ + options_.measure);
  measuring_ = reopening_ = false;
  print_line(R"({"phase":"measured","count":)" + std::to_string(events_) + "}");
  poll_until(Clock::now() + length + std::chrono::seconds(5));
  if (open_ > 0) failures_.add(std::to_string(open_) + " streams did not end");
  print_line(R"({"result":{"streams":)" + std::to_string(streams_) + R"(,"events":)" + std::to_string(events_) +
             R"(,"ttft":)" + ttft_.json() + R"(,"gap":)" + gap_.json() + R"(,"delay":)" + delay_.json() + "," +
             failures_.json() + "}}");
  return failures_.count() == 0;
}

void StreamLoad::poll_until(Time end) {
  while (failures_.count() == 0) {
    const Time now = Clock::now();
    for (; started_ < starts_.size() && starts_[started_] <= now; ++started_) open(*slots_[started_]);
    if (now >= end || (!reopening_ && open_ == 0)) return;
    loop_.poll(started_ < starts_.size() ? std::min(end, starts_[started_]) : end);
  }
}

void StreamLoad::open(Slot& slot) {
  ++open_;
  slot.progress = {};
  slot.start(request_);
}

void StreamLoad::on_progress(Call& call) {
  Slot& slot = static_cast<Slot&>(call);
  const Time now = Clock::now();
  if (slot.reader().state() == MessageReader::State::kHead) return;
  if (slot.reader().status() == 200) {
    take_events(slot, now);
  } else if (!slot.busy()) {
    failures_.add(std::string(slot.reader().head()) + slot.reader().body());
  }
  if (slot.busy()) return;
  --open_;
  ++streams_;
  if (slot.progress.next != StreamProgress::Next::kEnd || !slot.reader().body().empty()) {
    failures_.add("a stream ended early, left over: " + slot.reader().body());
  }
  if (reopening_) open(slot);
}

void StreamLoad::take_events(Slot& slot, Time now) {
  std::string& body = slot.reader().body();
  std::size_t from = 0;
  for (std::size_t end = body.find("\n\n"); end != std::string::npos; end = body.find("\n\n", from)) {
    const std::string_view event = std::string_view(body).substr(from, end - from);
    if (!take_event(slot, event, now)) failures_.add("unexpected event: " + std::string(event));
    from = end + 2;
  }
  body.erase(0, from);
}

bool StreamLoad::take_event(Slot& slot, std::string_view event, Time now) {
  using Next = StreamProgress::Next;
  StreamProgress& progress = slot.progress;
  if (measuring_) ++events_;
  if (!event.starts_with("data: ")) return false;
  switch (progress.next) {
    case Next::kRole:
      progress.next = Next::kContent;
      return contains(event, R"("role":"assistant")");
    case Next::kContent:
      if (progress.contents < options_.events) {
        take_content(slot, event, now);
        return contains(event, R"("delta":{"content":" carrier"})");
      }
      progress.next = Next::kUsage;
      return contains(event, R"("finish_reason":"stop")");
    case Next::kUsage:
      progress.next = Next::kDone;
      return contains(event, R"("choices":[],"usage":{)");
    case Next::kDone:
      progress.next = Next::kEnd;
      return event == "data: [DONE]";
    case Next::kEnd:
      return false;
  }
  return false;
}

void StreamLoad::take_content(Slot& slot, std::string_view event, Time now) {
  StreamProgress& progress = slot.progress;
  const bool first = progress.contents++ == 0;
  if (measuring_) {
    if (!first) gap_.add(now - progress.last);
    if (first && slot.started() >= measured_from_) ttft_.add(now - slot.started());
    delay_.add(now - stamp_of(event));
  }
  progress.last = now;
}

void StreamLoad::on_broken(Call&, std::string_view why) {
  --open_;
  failures_.add(why);
}

}  // namespace sluice::bench
