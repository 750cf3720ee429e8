// guard, of the file and of a key.

#include <algorithm>

#include "config/sections.hpp"
#include "config/values.hpp"

namespace sluice::config {
namespace {

constexpr std::int64_t kMostCount = 1'000'000'000;
constexpr std::size_t kMostKept = 10'000'000;

// The word none, or what `convert` takes, as an amount of the cap.
template <class T>
Converter<std::int64_t> cap(Converter<T> convert, std::int64_t (*amount_of)(T)) {
  return [convert = std::move(convert), amount_of](const Value& value) -> std::optional<std::int64_t> {
    if (value.node->text == "none") return kNoCap;
    const auto amount = convert(value);
    if (!amount) return std::nullopt;
    return amount_of(*amount);
  };
}

Converter<std::int64_t> counted() {
  return cap<std::int64_t>(amount(1, kMostCount), [](std::int64_t count) { return count; });
}

void read_caps(MapReader& map, GuardRules& rules) {
  const auto read = [&](std::string_view name, Cap which, const Converter<std::int64_t>& convert) {
    map.read(name, rules.caps[place_of(which)], convert);
  };
  read("turns", Cap::kTurns, counted());
  read("cost", Cap::kCost, cap<Money>(spelled(parse_money), [](Money money) { return money.nanodollars(); }));
  read("tokens", Cap::kTokens, counted());
  read("duration", Cap::kDuration,
       cap<milliseconds>(duration(1ms, 365 * kDay), [](milliseconds span) { return std::int64_t{span.count()}; }));
  read("parallel", Cap::kParallel, counted());
  read("same_request", Cap::kSameRequest, counted());
  read("same_tool_call", Cap::kSameToolCall, counted());
}

void read_rules(MapReader& map, GuardRules& rules) {
  static const auto kMode =
      choice<GuardMode>({{"off", GuardMode::kOff}, {"observe", GuardMode::kObserve}, {"enforce", GuardMode::kEnforce}});
  map.read("mode", rules.mode, kMode);
  read_caps(map, rules);
}

}  // namespace

void read_guard_rules(const Value& section, GuardRules& rules) {
  MapReader map(section);
  read_rules(map, rules);
}

void read_guard(const Value& section, Guard& guard) {
  MapReader map(section);
  read_rules(map, guard.rules);
  map.section("headers", [&](const Value& list) {
    guard.headers.clear();
    read_header_names(list, guard.headers);
  });
  map.read("metadata", guard.metadata, read_flag);
  map.read("expires", guard.expires, duration(1s, 365 * kDay));
  map.read("longest_call", guard.longest_call, duration(1s, kDay));
  map.read("most_runs", guard.most_runs, count(1, kMostKept));
  map.read("most_tool_calls", guard.most_tool_calls, count(1, kMostKept));
}

GuardRules rules_of(const Guard& guard, const GuardRules* key) {
  GuardRules rules = guard.rules;
  if (key == nullptr) return rules;
  if (key->mode) rules.mode = key->mode;
  for (std::size_t i = 0; i < kCaps; ++i) {
    if (key->caps[i]) rules.caps[i] = key->caps[i];
  }
  return rules;
}

}  // namespace sluice::config
