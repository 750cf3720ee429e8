#include "server/target_report.hpp"

#include <fmt/format.h>

#include "observe/families.hpp"
#include "observe/json_line.hpp"

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

std::vector<MetricFamily> families_of(const std::vector<routing::TargetStanding>& targets) {
  auto in = gauge("sluice_target_in", "1 while the target is used, 0 while it is ejected, between when it is probed.");
  auto ejections = counter("sluice_target_ejections_total", "Times the target was taken out of use.");
  auto in_flight = gauge("sluice_target_requests_in_flight", "Attempts under way.");
  auto latency = gauge("sluice_target_time_to_first_token_seconds", "Moving average, quick to believe the worst.");
  for (const auto& target : targets) {
    const observe::Labels labels = {{"provider", target.provider}, {"model", target.model}};
    add_number(in, labels, target.state == "closed" ? 1 : target.state == "open" ? 0 : 0.5);
    add_number(ejections, labels, static_cast<double>(target.ejections));
    add_number(in_flight, labels, target.in_flight);
    if (target.first_token_ms) add_number(latency, labels, *target.first_token_ms / 1000);
  }
  return {in, ejections, in_flight, latency};
}

std::vector<MetricFamily> families_of(const std::vector<routing::CredentialStanding>& credentials) {
  auto usable = gauge("sluice_credential_usable", "1 while the provider's credential may be used.");
  auto rejections = counter("sluice_credential_rejections_total", "Times the provider did not accept it (401, 403).");
  auto cool_downs = counter("sluice_credential_cool_downs_total", "Times the provider had enough of it (429).");
  for (const auto& credential : credentials) {
    const observe::Labels labels = {{"provider", credential.provider}, {"index", std::to_string(credential.index)}};
    add_number(usable, labels, credential.why == "none" ? 1 : 0);
    add_number(rejections, labels, static_cast<double>(credential.rejections));
    add_number(cool_downs, labels, static_cast<double>(credential.cool_downs));
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

std::string render_targets(const routing::Router& router, TimePoint now) {
  auto families = families_of(routing::targets_of(router.upstreams(), now));
  for (auto& one : families_of(router.credentials(now))) families.push_back(std::move(one));
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
