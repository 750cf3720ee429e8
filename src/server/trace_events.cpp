#include "server/trace_events.hpp"

#include "sluice/observe/event.hpp"

namespace sluice::server {
namespace {

void write(const Lines& lines, std::string_view kind, const std::vector<observe::EventMember>& members) {
  const auto file = lines.trace();
  if (file) file->write(observe::event_line(kind, std::chrono::system_clock::now(), members), 1);
}

}  // namespace

void trace_config(const Lines& lines, const std::string& hash, const std::vector<std::string>& problems) {
  std::vector<observe::EventMember> members = {{"result", problems.empty() ? "ok" : "refused"}, {"hash", hash}};
  if (!problems.empty()) members.push_back({"problem", problems.front()});
  write(lines, "config", members);
}

void trace_alert(const Lines& lines, const budget::BudgetAlert& alert) {
  write(lines, "alert",
        {{"budget", alert.node},
         {"percent", std::to_string(alert.percent), true},
         {"limit_usd", to_decimal(alert.limit), true},
         {"used_usd", to_decimal(alert.used), true},
         {"period", std::string(to_string(alert.period))}});
}

}  // namespace sluice::server
