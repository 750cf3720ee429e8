#include "admission/node_limits.hpp"

namespace sluice::admission {
namespace {

std::string_view unit_of(std::chrono::seconds window) {
  switch (window.count()) {
    case 1:
      return "second";
    case 60:
      return "minute";
    case 3600:
      return "hour";
    case 86'400:
      return "day";
    default:
      return "month";
  }
}

limit::Limit rate(const RateLimit& from) {
  limit::Limit made;
  made.id = "|" + std::string(to_string(from.meter)) + "|" + std::to_string(from.window.count());
  made.meter = from.meter;
  made.most = from.limit;
  made.window = from.window;
  made.mode = from.mode;
  return made;
}

limit::Limit slots(const ConcurrencyLimit& from) {
  limit::Limit made;
  made.id = "|concurrency";
  made.meter = Meter::kConcurrency;
  made.most = from.limit;
  made.mode = from.mode;
  return made;
}

limit::Limit budget(const BudgetLimit& from) {
  limit::Limit made;
  made.id = "|budget|" + std::string(to_string(from.period));
  made.meter = Meter::kMoney;
  made.most = from.limit.nanodollars();
  made.period = from.period;
  made.mode = from.mode;
  made.on_exceeded = from.on_exceeded;
  made.alert_percent = from.alert_percent;
  return made;
}

std::string per(const limit::Limit& limit) {
  if (limit.meter == Meter::kConcurrency) return "";
  if (limit.meter != Meter::kMoney) return std::string(unit_of(limit.window));
  return limit.period == Period::kTotal ? "" : std::string(to_string(limit.period));
}

}  // namespace

std::vector<limit::Limit> limits_of(const NodeLimits& limits, const std::string& id, const std::string& node,
                                    limit::Ledger& ledger) {
  std::vector<limit::Limit> made;
  made.reserve(limits.rates.size() + limits.budgets.size() + 1);
  for (const RateLimit& from : limits.rates) made.push_back(rate(from));
  for (const BudgetLimit& from : limits.budgets) made.push_back(budget(from));
  if (limits.concurrency) made.push_back(slots(*limits.concurrency));
  for (limit::Limit& one : made) {
    one.id.insert(0, id);
    one.node = node;
    ledger.know(one);
  }
  return made;
}

std::string in_words(const limit::Limit& limit) {
  const std::string unit = per(limit);
  if (limit.meter == Meter::kMoney) {
    return to_string(Money::nanodollars(limit.most)) + (unit.empty() ? " in total" : " per " + unit);
  }
  if (limit.meter == Meter::kConcurrency) return std::to_string(limit.most) + " requests at once";
  std::string what(to_string(limit.meter));
  if (const auto line = what.find('_'); line != std::string::npos) what[line] = ' ';
  return std::to_string(limit.most) + " " + what + " per " + unit;
}

std::string label_of(const limit::Limit& limit) {
  const std::string unit = per(limit);
  return limit.node + " " + std::string(to_string(limit.meter)) + (unit.empty() ? "" : "/" + unit);
}

}  // namespace sluice::admission
