#include "server/target_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "observe/families.hpp"
#include "observe/json_line.hpp"
#include "observe/series_table.hpp"

namespace sluice::server {
namespace {

using observe::add_number;
using observe::counter;
using observe::gauge;
using observe::MetricFamily;

// The next object of a list, which the caller closes.
observe::JsonLine begin(std::string& out, std::string_view provider) {
  out += out.ends_with('[') ? "\n    {\"provider\":" : ",\n    {\"provider\":";
  append_json_string(out, provider);
  return observe::JsonLine(out);
}

void add(std::string& out, const routing::TargetStanding& target) {
  auto line = begin(out, target.provider);
  line.text("model", target.model).name("breaker", target.state);
  if (target.state != "closed") line.name("reason", target.ejected_for);
  if (target.out_for) line.number("out_for_ms", target.out_for->count());
  line.raw("share", fmt::format("{:.2f}", target.share)).number("consecutive_faults", target.consecutive_faults);
  line.number("window_requests", target.window_requests).number("window_faults", target.window_faults);
  line.number("ejections", target.ejections);
  if (target.first_token_ms) line.raw("first_token_ms", fmt::format("{:.1f}", *target.first_token_ms));
  line.number("in_flight", target.in_flight);
  out += '}';
}

void add(std::string& out, const routing::CredentialStanding& credential) {
  auto line = begin(out, credential.provider);
  line.number("index", credential.index).boolean("usable", credential.why == "none");
  if (credential.why != "none") line.name("reason", credential.why);
  if (credential.out_for) line.number("out_for_ms", credential.out_for->count());
  line.number("rejections", credential.rejections).number("cool_downs", credential.cool_downs);
  out += '}';
}

double used(const routing::TargetStanding& target) {
  return target.state == "closed" ? 1 : target.state == "open" ? 0 : 0.5;
}

// What one target or credential is told as.
struct TargetNumbers {
  double in = 1, ejections = 0, in_flight = 0;
  std::optional<double> latency{};
};
TargetNumbers numbers_of(const routing::TargetStanding& target) {
  return {used(target), static_cast<double>(target.ejections), static_cast<double>(target.in_flight),
          target.first_token_ms};
}
void add(TargetNumbers& to, const TargetNumbers& one) {
  to.in = std::min(to.in, one.in);
  to.ejections += one.ejections;
  to.in_flight += one.in_flight;
  if (one.latency) to.latency = std::max(to.latency.value_or(0), *one.latency);
}

struct CredentialNumbers {
  double usable = 1, rejections = 0, cool_downs = 0;
};
CredentialNumbers numbers_of(const routing::CredentialStanding& credential) {
  return {credential.why == "none" ? 1.0 : 0.0, static_cast<double>(credential.rejections),
          static_cast<double>(credential.cool_downs)};
}
void add(CredentialNumbers& to, const CredentialNumbers& one) {
  to.usable = std::min(to.usable, one.usable);
  to.rejections += one.rejections;
  to.cool_downs += one.cool_downs;
}

// By their labels, which are two.
template <class Numbers>
using Table = std::map<std::pair<std::string, std::string>, Numbers>;

template <class Numbers>
void add(Table<Numbers>& table, const observe::Family& family, const std::pair<std::string, std::string>& key,
         const Numbers& numbers, observe::SeriesGate& gate) {
  add(observe::place_of(table, key, family, gate), numbers);
}

std::vector<MetricFamily> families_of(const std::vector<routing::TargetStanding>& targets, observe::SeriesGate& gate) {
  constexpr observe::Family kFamily{"targets", observe::SeriesKind::kHealth, 4};
  Table<TargetNumbers> table;
  for (const auto& target : targets) add(table, kFamily, {target.provider, target.model}, numbers_of(target), gate);
  auto in = gauge("sluice_target_in", "1 while the target is used, 0 while it is ejected, between when it is probed.");
  auto ejections = counter("sluice_target_ejections_total", "Times the target was taken out of use.");
  auto in_flight = gauge("sluice_target_requests_in_flight", "Attempts under way.");
  auto latency = gauge("sluice_target_time_to_first_token_seconds", "Moving average, quick to believe the worst.");
  for (const auto& [key, target] : table) {
    const observe::Labels labels = {{"provider", key.first}, {"model", key.second}};
    add_number(in, labels, target.in);
    add_number(ejections, labels, target.ejections);
    add_number(in_flight, labels, target.in_flight);
    if (target.latency) add_number(latency, labels, *target.latency / 1000);
  }
  return {in, ejections, in_flight, latency};
}

std::vector<MetricFamily> families_of(const std::vector<routing::CredentialStanding>& credentials,
                                      observe::SeriesGate& gate) {
  constexpr observe::Family kFamily{"credentials", observe::SeriesKind::kHealth, 3};
  Table<CredentialNumbers> table;
  for (const auto& credential : credentials) {
    add(table, kFamily, {credential.provider, std::to_string(credential.index)}, numbers_of(credential), gate);
  }
  auto usable = gauge("sluice_credential_usable", "1 while the provider's credential may be used.");
  auto rejections = counter("sluice_credential_rejections_total", "Times the provider did not accept it (401, 403).");
  auto cool_downs = counter("sluice_credential_cool_downs_total", "Times the provider had enough of it (429).");
  for (const auto& [key, credential] : table) {
    const observe::Labels labels = {{"provider", key.first}, {"index", key.second}};
    add_number(usable, labels, credential.usable);
    add_number(rejections, labels, credential.rejections);
    add_number(cool_downs, labels, credential.cool_downs);
  }
  return {usable, rejections, cool_downs};
}

}  // namespace

std::string report_targets(const routing::Router& router, TimePoint now) {
  std::string out = "{\n  \"targets\": [";
  for (const auto& target : routing::targets_of(router.upstreams(), now)) add(out, target);
  out += "],\n  \"credentials\": [";
  for (const auto& credential : router.credentials(now)) add(out, credential);
  const auto retries = routing::retries_of(router.upstreams());
  return out + fmt::format("],\n  \"retries\": {{\"spent\":{},\"refused\":{}}}\n}}\n", retries.spent, retries.refused);
}

std::string render_targets(const routing::Router& router, TimePoint now, observe::SeriesBudget& budget) {
  observe::SeriesGate gate(&budget);
  auto families = families_of(routing::targets_of(router.upstreams(), now), gate);
  for (auto& one : families_of(router.credentials(now), gate)) families.push_back(std::move(one));
  const auto retries = routing::retries_of(router.upstreams());
  auto spent = counter("sluice_retries_total", "Attempts beyond a request's first: retries, fallbacks and hedges.");
  add_number(spent, {}, static_cast<double>(retries.spent));
  auto refused =
      counter("sluice_retry_budget_exhausted_total", "Such attempts that routing.retry_budget did not allow.");
  add_number(refused, {}, static_cast<double>(retries.refused));
  families.push_back(std::move(spent));
  families.push_back(std::move(refused));
  return observe::render_families(families);
}

}  // namespace sluice::server
