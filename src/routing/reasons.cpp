// Why a rule held, in words.

#include <array>
#include <cmath>

#include "routing/rules.hpp"
#include "sluice/config/units.hpp"
#include "sluice/core/text.hpp"

namespace sluice::routing {
namespace {

using config::Condition;
using config::Fact;

constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

std::string shown(Fact fact, double number) {
  const auto whole = static_cast<std::int64_t>(std::llround(number));
  switch (fact) {
    case Fact::kComplexity:
      return format_score(number);
    case Fact::kMaxLatency:
      return config::format_duration(std::chrono::milliseconds(whole));
    case Fact::kBudgetLeft:
      return std::to_string(whole) + "%";
    default:
      return std::to_string(whole);
  }
}

std::string_view word(Fact fact, unsigned number) {
  if (fact == Fact::kCode) return config::to_string(static_cast<config::CodeLanguage>(number));
  if (fact == Fact::kEndpoint) return to_string(static_cast<Endpoint>(number));
  return kDays[number];
}

std::string listed(Fact fact, config::WordSet words) {
  std::string out;
  for (unsigned number = 0; words != 0; ++number, words >>= 1) {
    if ((words & 1) == 0) continue;
    if (!out.empty()) out += " and ";
    out += word(fact, number);
  }
  return out.empty() ? "absent" : out;
}

std::string clock(unsigned minute) {
  const auto two = [](unsigned number) { return std::to_string(100 + number).substr(1); };
  return two(minute / 60) + ":" + two(minute % 60);
}

// "<= 0.3" goes on where a value stands; other tests need a word between.
std::string against(std::string value, const std::string& test) {
  const bool comparison = test.starts_with('<') || test.starts_with('>');
  return std::move(value) + (comparison ? " " : " in ") + test;
}

std::string number_reason(const Condition& condition, const Facts& facts) {
  const auto number = facts.number(condition.fact);
  if (!number) return "absent";
  if (condition.spans.empty()) return condition.present == true ? "present" : "absent";
  return against(shown(condition.fact, *number), condition.test);
}

std::string text_reason(const Condition& condition, std::string_view text) {
  if (text.empty()) return "absent";
  if (condition.globs.empty()) return "present";
  // Who the end user is, is the app's business.
  if (condition.fact == Fact::kUser) return "like " + condition.test;
  return std::string(text) + (condition.test == text ? "" : " like " + condition.test);
}

std::string told(const Condition& condition, const Facts& facts) {
  switch (condition.fact) {
    case Fact::kJsonSchema:
    case Fact::kStream:
      return condition.test;
    case Fact::kCode:
    case Fact::kEndpoint:
    case Fact::kDay:
      return listed(condition.fact, facts.words(condition.fact));
    case Fact::kKey:
    case Fact::kGroup:
    case Fact::kUser:
      return text_reason(condition, facts.text(condition.fact));
    case Fact::kTags:
      return condition.tag + " " + text_reason(condition, facts.tag(condition.tag));
    case Fact::kTime:
      return against(clock(facts.minute()), condition.test);
    default:
      return number_reason(condition, facts);
  }
}

// What the request has of it, whatever is asked.
std::string value_of(const Condition& condition, const Facts& facts) {
  const auto or_absent = [](std::string_view text) { return text.empty() ? "absent" : std::string(text); };
  switch (condition.fact) {
    case Fact::kJsonSchema:
    case Fact::kStream:
      return facts.flag(condition.fact) ? "true" : "false";
    case Fact::kCode:
    case Fact::kEndpoint:
    case Fact::kDay:
      return listed(condition.fact, facts.words(condition.fact));
    case Fact::kKey:
    case Fact::kGroup:
      return or_absent(facts.text(condition.fact));
    case Fact::kUser:  // who that is, is the app's business
      return facts.text(condition.fact).empty() ? "absent" : "another";
    case Fact::kTags:
      return or_absent(facts.tag(condition.tag));
    case Fact::kTime:
      return clock(facts.minute());
    default:
      break;
  }
  const auto number = facts.number(condition.fact);
  return number ? shown(condition.fact, *number) : "absent";
}

}  // namespace

std::string obstacle(const Rules& rules, std::size_t index, const Facts& facts) {
  for (const Condition& condition : rules.all().at(index).when) {
    if (holds({&condition, 1}, facts)) continue;
    std::string out = rules.label(index) + ": " + std::string(to_string(condition.fact));
    if (!condition.tag.empty()) out += " " + condition.tag;
    return out + " is " + value_of(condition, facts) + ", not " + condition.test;
  }
  return {};
}

std::string reason(const Rules& rules, std::size_t index, const Facts& facts) {
  std::string out = rules.label(index);
  const auto& conditions = rules.all().at(index).when;
  if (conditions.empty()) return out + ": no conditions";
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    out.append(i == 0 ? ": " : ", ").append(to_string(conditions[i].fact)).append(" ");
    out += told(conditions[i], facts);
  }
  return out;
}

}  // namespace sluice::routing
