#include "observe/event_line.hpp"

#include <ctime>

#include "sluice/observe/event.hpp"

namespace sluice::observe {

// The date part changes once a second, so it is kept between lines.
void append_time(std::string& out, std::chrono::system_clock::time_point time) {
  const auto since = std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
  const std::time_t second = since / 1'000'000;
  thread_local std::time_t known = -1;
  thread_local char text[32];
  if (second != known) {
    std::tm parts{};
    ::gmtime_r(&second, &parts);
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &parts);
    known = second;
  }
  char fraction[8];
  auto rest = static_cast<unsigned>(since % 1'000'000);
  for (int i = 5; i >= 0; --i, rest /= 10) fraction[i] = static_cast<char>('0' + rest % 10);
  out.append(text).append(fraction, 6).push_back('Z');
}

JsonLine open_event(std::string& out, std::string_view kind, std::chrono::system_clock::time_point time) {
  out += "{\"time\":\"";
  append_time(out, time);
  out += '"';
  JsonLine line(out);
  line.number("schema", kTraceSchema).name("event", kind);
  return line;
}

void close_event(std::string& out) { out += "}\n"; }

std::string event_line(std::string_view kind, std::chrono::system_clock::time_point time,
                       const std::vector<EventMember>& members) {
  std::string out;
  JsonLine line = open_event(out, kind, time);
  for (const EventMember& member : members) {
    member.is_json ? line.raw(member.name, member.value) : line.text(member.name, member.value);
  }
  close_event(out);
  return out;
}

}  // namespace sluice::observe
