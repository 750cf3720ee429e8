// What becomes of a request whose target fails, starves or takes too long.

#include "config/model_uses.hpp"
#include "config/sections.hpp"
#include "config/values.hpp"

namespace sluice::config {
namespace {

constexpr std::int64_t kMostEvents = 1'000'000;

void read_fallback_on(const Value& section, const ModelEntry& entry) {
  MapReader map(section);
  FallbackOn& on = entry.model.fallback_on;
  map.section("context_length", [&](const Value& list) { on.context_length = entry.named_list(list); });
  map.section("content_policy", [&](const Value& list) { on.content_policy = entry.named_list(list); });
}

std::optional<Allowance> read_event_rate(const Value& value) {
  const auto rate = spelled(parse_allowance)(value);
  if (!rate || (rate->count > 0 && rate->count <= kMostEvents && rate->window <= 1min)) return rate;
  value.fail(value.shown() + ": expected 1 to 1000000 events per s or min, e.g. 1/s");
  return std::nullopt;
}

void read_starve(const Value& section, std::optional<Starve>& out) {
  Starve& starve = out.emplace();
  MapReader map(section);
  map.read("rate", starve.rate, read_event_rate);
  map.read("within", starve.within, duration(100ms, 1h));
  const auto expected = starve.rate.count * starve.within / starve.rate.window;
  if (expected < 1) section.fail_key("not even one event is expected within that time; raise rate or within");
}

// "p95", or a time.
void read_after(const Value& value, Hedge& hedge) {
  const std::string& text = value.node->text;
  if (!text.starts_with('p')) {
    const auto after = duration(1ms, 10min)(value);
    if (after) hedge.after = *after;
    hedge.percentile.reset();
    return;
  }
  const auto percentile = parse_whole(std::string_view(text).substr(1));
  if (!percentile || *percentile < 1 || *percentile > 99) {
    return value.fail(value.shown() + ": expected p1 to p99, or a time such as 800ms");
  }
  hedge.percentile = static_cast<unsigned>(*percentile);
}

void read_hedge(const Value& section, std::optional<Hedge>& out) {
  Hedge& hedge = out.emplace();
  MapReader map(section);
  if (!map.section("after", [&](const Value& value) { read_after(value, hedge); })) {
    map.missing("after", "expected p95, or a time such as 800ms");
  }
  map.read("least", hedge.least, duration(0ms, 10min));
}

}  // namespace

void read_rescue(MapReader& map, const ModelEntry& entry) {
  Model& model = entry.model;
  map.section("fallback", [&](const Value& list) { model.fallback = entry.named_list(list); });
  map.section("fallback_on", [&](const Value& section) { read_fallback_on(section, entry); });
  map.section("starve", [&](const Value& section) { read_starve(section, model.starve); });
  map.section("hedge", [&](const Value& section) { read_hedge(section, model.hedge); });
  map.read("answer", model.answer, read_text);
  map.read("max_attempts", model.max_attempts, read_attempts);
}

}  // namespace sluice::config
