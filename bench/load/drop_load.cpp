#include "drop_load.hpp"

#include <charconv>

#include "texts.hpp"

namespace sluice::bench {
namespace {

using namespace std::chrono_literals;

}  // namespace

bool DropLoad::run() {
  for (std::int64_t i = 0; i < options_.drops && failures_.count() == 0; ++i) {
    if (!drop(options_.label + "-" + std::to_string(i), i % 2 == 1)) ++unseen_;
  }
  print_line(R"({"result":{"flowing":)" + flowing_.json() + R"(,"silent":)" + silent_.json() + R"(,"unseen":)" +
             std::to_string(unseen_) + "," + failures_.json() + "}}");
  return failures_.count() == 0;
}

void DropLoad::wait(Time end, auto&& condition) {
  while (failures_.count() == 0 && !condition() && Clock::now() < end) loop_.poll(end);
}

bool DropLoad::drop(const std::string& label, bool silent) {
  const std::string request =
      chat_request({.body_bytes = 1500, .stream = true, .label = label, .interval_ms = silent ? 60000 : 10});
  const std::size_t wanted = silent ? 2 : 4;  // the role and the content that comes with it, or two more
  events_ = 0;
  client_.start(request);
  wait(Clock::now() + 5s, [&] { return events_ >= wanted; });
  if (events_ < wanted) failures_.add("a stream did not begin");
  wait(Clock::now() + 3ms, [] { return false; });  // let everyone come to rest
  const Time dropped = Clock::now();
  client_.disconnect();
  for (auto pause = 3ms; Clock::now() < dropped + 2s; pause = 10ms) {
    wait(Clock::now() + pause, [] { return false; });
    const Time closed = closed_at(label);
    if (closed == Time{}) continue;
    (silent ? silent_ : flowing_).add(closed - dropped);
    return true;
  }
  return false;
}

Time DropLoad::closed_at(const std::string& label) {
  stats_.start("GET /stats HTTP/1.1\r\nHost: upstream\r\n\r\n");
  wait(Clock::now() + 2s, [&] { return !stats_.busy(); });
  const std::string& json = stats_.reader().body();
  const std::string key = "\"" + label + "\":";
  const std::size_t at = json.find(key);
  if (at == std::string::npos) return {};
  std::int64_t when = 0;
  std::from_chars(json.data() + at + key.size(), json.data() + json.size(), when);
  return Time(Clock::duration(when));
}

void DropLoad::on_progress(Call& call) {
  if (&call == &stats_ || call.reader().state() == MessageReader::State::kHead) return;
  if (call.reader().status() != 200) return failures_.add(call.reader().head());
  if (!call.busy()) return failures_.add("a stream ended before it was dropped");
  const std::string& body = call.reader().body();
  events_ = 0;
  for (std::size_t at = body.find("\n\n"); at != std::string::npos; at = body.find("\n\n", at + 2)) ++events_;
}

void DropLoad::on_broken(Call&, std::string_view why) { failures_.add(why); }

}  // namespace sluice::bench
