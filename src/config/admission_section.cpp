// admission and auth: how requests get in.

#include <algorithm>

#include "config/header_rules.hpp"
#include "config/sections.hpp"
#include "config/values.hpp"

namespace sluice::config {
namespace {

constexpr std::uint64_t kMostWeight = 1000;
constexpr std::uint64_t kMostWaiting = 1'000'000;
constexpr std::uint64_t kMostFailures = 1'000'000;

std::optional<unsigned> read_weight(const Value& value) {
  const auto weight = count(1, kMostWeight)(value);
  return weight ? std::optional(static_cast<unsigned>(*weight)) : std::nullopt;
}

void read_queue(const Value& section, Queue& queue) {
  MapReader map(section);
  map.read("most", queue.most, count(0, kMostWaiting));
  map.read("timeout", queue.timeout, duration(1ms, 1h));
  map.section("weights", [&](const Value& weights) {
    MapReader shares(weights);
    shares.read("high", queue.weight_high, read_weight);
    shares.read("normal", queue.weight_normal, read_weight);
    shares.read("low", queue.weight_low, read_weight);
  });
}

}  // namespace

void read_header_names(const Value& list, std::vector<std::string>& names) {
  for (const Value& item : read_items(list)) {
    auto name = read_header_name(item);
    if (!name) continue;
    if (std::ranges::find(names, *name) != names.end()) {
      item.fail("this header is already in the list");
    } else {
      names.push_back(std::move(*name));
    }
  }
}

void read_admission(const Value& section, Admission& admission) {
  MapReader map(section);
  map.section("concurrency", [&](const Value& value) { read_concurrency(value, admission.concurrency); });
  map.section("queue", [&](const Value& value) { read_queue(value, admission.queue); });
  map.read("lease", admission.lease, duration(1s, 1h));
  map.read("default_max_output", admission.default_max_output, amount(1, kMostOutput));
}

void read_auth(const Value& section, Auth& auth) {
  MapReader map(section);
  map.read("failures_per_minute", auth.failures_per_minute, count(0, kMostFailures));
  map.section("user_headers", [&](const Value& list) { read_header_names(list, auth.user_headers); });
}

}  // namespace sluice::config
