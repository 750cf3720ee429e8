#include "server/admin_reports.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "admission/paths.hpp"
#include "admission/user_limits.hpp"
#include "sluice/config/units.hpp"
#include "sluice/core/json_string.hpp"
#include "sluice/core/text.hpp"

namespace sluice::server {
namespace {

using admission::Limits;
using Refs = std::vector<const limit::Limit*>;
using Timer = net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor>;

void add(Refs& all, const Limits& limits) {
  for (const limit::Limit& one : limits) all.push_back(&one);
}

void member(std::string& out, std::string_view name, std::string_view text) {
  out.append(",\"").append(name).append("\":");
  append_json_string(out, text);
}
void number(std::string& out, std::string_view name, std::string_view digits) {
  out.append(",\"").append(name).append("\":").append(digits);
}

std::string amount(const limit::Limit& limit, std::int64_t value) {
  return limit.meter == Meter::kMoney ? to_decimal(Money::nanodollars(value)) : std::to_string(value);
}

std::string describe(const limit::Limit& limit, const limit::Standing& standing) {
  const bool money = limit.meter == Meter::kMoney;
  const std::string unit = money ? "_usd" : "";
  std::string out = "{\"node\":";
  append_json_string(out, limit.node);
  member(out, "meter", to_string(limit.meter));
  if (money) member(out, "period", to_string(limit.period));
  if (!money && limit.meter != Meter::kConcurrency) number(out, "window_seconds", std::to_string(limit.window.count()));
  member(out, "mode", limit.mode == Mode::kObserve ? "observe" : "enforce");
  number(out, "limit" + unit, amount(limit, limit.most));
  number(out, "used" + unit, amount(limit, standing.used));
  number(out, "reserved" + unit, amount(limit, standing.reserved));
  const auto left = std::max<std::int64_t>(0, limit.most - standing.used - standing.reserved);
  number(out, "remaining" + unit, amount(limit, left));
  number(out, "resets_in_ms", std::to_string(standing.resets_in.count()));
  return out + "}";
}

std::unexpected<Error> wrong(std::string name, std::string message) {
  return fail_param(ErrorKind::kInvalidValue, std::move(name), std::move(message));
}

// An instant, or so long before now.
std::optional<std::chrono::sys_seconds> instant_of(const std::string& text) {
  if (const auto instant = config::parse_instant(text)) return *instant;
  const auto span = config::parse_duration(text);
  if (!span) return std::nullopt;
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now() - *span);
}

Result<budget::SpendQuery> spend_query(const std::string& query) {
  using enum budget::SpendBy;
  constexpr std::pair<std::string_view, budget::SpendBy> kWords[] = {
      {"key", kKey},           {"group", kGroup}, {"team", kTeam}, {"model", kModel},
      {"provider", kProvider}, {"hour", kHour},   {"day", kDay}};
  budget::SpendQuery made;
  if (const std::string by = query_value(query, "by"); !by.empty()) {
    const auto* known = std::ranges::find(kWords, by, &std::pair<std::string_view, budget::SpendBy>::first);
    if (known == std::end(kWords)) return wrong("by", "Use by=key, group, team, model, provider, hour or day.");
    made.by = known->second;
  }
  for (auto [name, into] : {std::pair("since", &made.since), std::pair("until", &made.until)}) {
    const std::string text = query_value(query, name);
    if (text.empty()) continue;
    const auto instant = instant_of(text);
    if (!instant) return wrong(name, "Use a date (2026-11-01), a time (2026-11-01T12:00:00Z) or so long ago (7d).");
    *into = *instant;
  }
  return made;
}

std::string spend_row(const SpendRow& row, budget::SpendBy by) {
  using enum budget::SpendBy;
  std::string out = "{";
  if (by == kHour || by == kDay) {
    out += "\"from\":\"" + config::format_instant(row.hour) + "\"";
  } else {
    const std::string_view name = by == kKey ? "key" : by == kModel ? "model" : by == kProvider ? "provider" : "group";
    const std::string& value = by == kKey        ? row.key
                               : by == kModel    ? row.model
                               : by == kProvider ? row.provider
                                                 : row.group;
    out.append("\"").append(name).append("\":");
    append_json_string(out, value);
  }
  number(out, "requests", std::to_string(row.requests));
  number(out, "input_tokens", std::to_string(row.input_tokens));
  number(out, "output_tokens", std::to_string(row.output_tokens));
  number(out, "cost_usd", to_decimal(row.cost));
  return out + "}";
}

// The store answers on a thread of its own.
Task<budget::SpendReport> ask(std::shared_ptr<budget::SpendStore> store, budget::SpendQuery query) {
  const auto executor = co_await net::this_coro::executor;
  auto answer = std::make_shared<std::optional<budget::SpendReport>>();
  auto arrived = std::make_shared<Timer>(executor, kNever);
  store->report(query, [executor, answer, arrived](budget::SpendReport report) {
    net::post(executor, [answer, arrived, said = std::move(report)]() mutable {
      *answer = std::move(said);
      arrived->cancel();
    });
  });
  co_await arrived->async_wait(net::as_tuple(net::deferred));
  if (!*answer) co_return std::unexpected("the report was not waited for");
  co_return std::move(**answer);
}

const config::Key* find_key(const config::Config& config, std::string_view name) {
  const auto found = std::ranges::find(config.keys, name, &config::Key::name);
  return found == config.keys.end() ? nullptr : &*found;
}

}  // namespace

std::string query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const auto equals = std::min(pair.find('='), pair.size());
    if (percent_decoded(pair.substr(0, equals)) != name) continue;
    return percent_decoded(pair.substr(std::min(pair.size(), equals + 1)));
  }
  return {};
}

Task<Result<std::string>> report_limits(std::shared_ptr<const Snapshot> snapshot, limit::Ledger& ledger,
                                        std::string query) {
  const admission::Paths& paths = *snapshot->paths;
  const std::string name = query_value(query, "key");
  const std::string user = query_value(query, "user");
  Refs limits;
  std::vector<std::shared_ptr<const Limits>> kept;
  std::string out = "{";
  if (name.empty()) {
    out += "\"key\":null";
    paths.for_each_shared([&](const Limits& some) { add(limits, some); });
  } else {
    const config::Key* key = find_key(snapshot->config, name);
    if (key == nullptr) co_return wrong("key", "There is no key of that name.");
    out += "\"key\":";
    append_json_string(out, key->name);
    member(out, "group", key->group);
    const admission::Path& path = paths.of_key(key);
    limits = path.limits;
    for (const admission::EachUser* each : path.each_user) {
      if (!user.empty()) add(limits, *kept.emplace_back(admission::limits_of_user(*each, user, ledger)));
    }
  }
  auto standings = co_await ledger.look(limits, std::chrono::floor<milliseconds>(std::chrono::system_clock::now()));
  if (!standings) co_return std::unexpected(std::move(standings.error()));
  out += ",\"limits\":[";
  for (std::size_t i = 0; i < limits.size(); ++i) {
    out += (i == 0 ? "\n " : ",\n ") + describe(*limits[i], (*standings)[i]);
  }
  co_return out + "]}\n";
}

Task<Result<std::string>> report_spend(std::shared_ptr<budget::SpendStore> store, std::string query) {
  if (!store) {
    co_return fail(ErrorKind::kUnknownRoute,
                   "No spend is kept: there are neither prices nor budgets, or state.path "
                   "is empty.");
  }
  auto wanted = spend_query(query);
  if (!wanted) co_return std::unexpected(std::move(wanted.error()));
  auto report = co_await ask(std::move(store), *wanted);
  if (!report) co_return fail(ErrorKind::kInternal, "The books of spend cannot be read.", report.error());
  std::string out = "{\"rows\":[";
  for (std::size_t i = 0; i < report->size(); ++i) {
    out += (i == 0 ? "\n " : ",\n ") + spend_row((*report)[i], wanted->by);
  }
  co_return out + "]}\n";
}

}  // namespace sluice::server
