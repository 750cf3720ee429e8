#include "routing/rules.hpp"

#include <algorithm>
#include <tuple>

#include "sluice/core/text.hpp"

namespace sluice::routing {
namespace {

using config::Condition;
using config::Fact;

static_assert(config::kMostRules <= 64, "Decision::shadows has a bit for each");

// What finding out costs: nothing, a walk through the body's outline, reading its text.
int cost_of(const Condition& condition) {
  switch (condition.fact) {
    case Fact::kComplexity:
    case Fact::kCode:
      return 2;
    case Fact::kInputTokens:
    case Fact::kImages:
    case Fact::kAudio:
    case Fact::kTools:
    case Fact::kJsonSchema:
      return 1;
    default:
      return 0;
  }
}

bool is_within(const config::Span& span, double number) {
  const bool above = span.open_least ? number > span.least : number >= span.least;
  const bool below = span.open_most ? number < span.most : number <= span.most;
  return above && below;
}

bool is_within(const config::Hours& hours, unsigned minute) {
  const bool late = minute >= hours.from;
  const bool early = minute < hours.to;
  return hours.from < hours.to ? late && early : late || early;
}

bool holds_number(const Condition& condition, const Facts& facts) {
  const auto number = facts.number(condition.fact);
  const bool counts =
      condition.fact == Fact::kTools || condition.fact == Fact::kImages || condition.fact == Fact::kAudio;
  const bool there = number && (!counts || *number > 0);
  if (condition.present == there) return true;
  return number && std::ranges::any_of(condition.spans, [&](const auto& span) { return is_within(span, *number); });
}

bool holds_text(const Condition& condition, std::string_view text) {
  if (condition.present == !text.empty()) return true;
  if (text.empty()) return false;
  return std::ranges::any_of(condition.globs, [&](const std::string& glob) { return glob_match(glob, text); });
}

bool holds_words(const Condition& condition, config::WordSet words) {
  return condition.present == (words != 0) || (condition.words & words) != 0;
}

bool holds_time(const Condition& condition, unsigned minute) {
  return std::ranges::any_of(condition.hours, [&](const auto& hours) { return is_within(hours, minute); });
}

bool holds(const Condition& condition, const Facts& facts) {
  switch (condition.fact) {
    case Fact::kJsonSchema:
    case Fact::kStream:
      return condition.present == facts.flag(condition.fact);
    case Fact::kCode:
    case Fact::kEndpoint:
    case Fact::kDay:
      return holds_words(condition, facts.words(condition.fact));
    case Fact::kKey:
    case Fact::kGroup:
    case Fact::kUser:
      return holds_text(condition, facts.text(condition.fact));
    case Fact::kTags:
      return holds_text(condition, facts.tag(condition.tag));
    case Fact::kTime:
      return holds_time(condition, facts.minute());
    default:
      return holds_number(condition, facts);
  }
}

}  // namespace

bool holds(std::span<const Condition> conditions, const Facts& facts) {
  return std::ranges::all_of(conditions, [&](const Condition& one) { return holds(one, facts); });
}

Rules::Rules(std::vector<config::Rule> rules) : rules_(std::move(rules)) {
  for (config::Rule& rule : rules_) {
    const auto rank = [](const Condition& one) {
      return std::tuple(cost_of(one), one.fact, std::string_view(one.tag));
    };
    std::ranges::sort(rule.when, {}, rank);
    for (const Condition& condition : rule.when) asked_ |= config::bit_of(condition.fact);
  }
}

std::string Rules::label(std::size_t index) const {
  const std::string& name = rules_.at(index).name;
  return name.empty() ? "rule " + std::to_string(index + 1) : "rule \"" + name + '"';
}

Decision choose(const Rules& rules, const Facts& facts) {
  Decision decision;
  for (const config::Rule& rule : rules.all()) {
    const bool met = holds(rule.when, facts);
    if (met && !rule.shadow) {
      decision.rule = &rule;
      return decision;
    }
    if (met) decision.shadows |= std::uint64_t{1} << decision.index;
    ++decision.index;
  }
  return decision;
}

}  // namespace sluice::routing
