// `when`: a map of facts and what they must be.

#include <algorithm>
#include <span>

#include "config/sections.hpp"
#include "config/test_values.hpp"
#include "config/values.hpp"
#include "sluice/config/names.hpp"

namespace sluice::config {
namespace {

// How a fact is tested.
enum class Kind : std::uint8_t { kNumber, kSwitch, kWords, kText, kTime };

struct FactRow {
  Fact fact;
  Kind kind;
  bool may_lack = false;  // it may be absent, or none: then true and false are tests, too
  Unit unit = Unit::kCount;
  std::span<const Word> words = {};
};

const FactRow kRows[] = {
    {Fact::kComplexity, Kind::kNumber, false, Unit::kFraction},
    {Fact::kInputTokens, Kind::kNumber},
    {Fact::kTurns, Kind::kNumber},
    {Fact::kTools, Kind::kNumber, true},
    {Fact::kImages, Kind::kNumber, true},
    {Fact::kAudio, Kind::kNumber, true},
    {Fact::kMaxTokens, Kind::kNumber, true},
    {Fact::kMaxLatency, Kind::kNumber, true, Unit::kDuration},
    {Fact::kBudgetLeft, Kind::kNumber, true, Unit::kPercent},
    {Fact::kJsonSchema, Kind::kSwitch},
    {Fact::kStream, Kind::kSwitch},
    {Fact::kCode, Kind::kWords, true, Unit::kCount, code_words()},
    {Fact::kEndpoint, Kind::kWords, false, Unit::kCount, endpoint_words()},
    {Fact::kDay, Kind::kWords, false, Unit::kCount, day_words()},
    {Fact::kKey, Kind::kText, true},
    {Fact::kGroup, Kind::kText, true},
    {Fact::kUser, Kind::kText, true},
    {Fact::kTime, Kind::kTime},
};

// One alternative of a test, put into the condition. A sentence: it is none.
std::optional<std::string> add_test(const FactRow& row, const std::string& text, Condition& condition) {
  const auto keep = [](auto parsed, auto&& use) -> std::optional<std::string> {
    if (!parsed) return std::move(parsed.error());
    use(std::move(*parsed));
    return std::nullopt;
  };
  switch (row.kind) {
    case Kind::kNumber:
      return keep(parse_span(text, row.unit), [&](Span span) { condition.spans.push_back(span); });
    case Kind::kTime:
      return keep(parse_hours(text), [&](Hours hours) { condition.hours.push_back(hours); });
    case Kind::kWords:
      return keep(parse_words(text, row.words, row.fact == Fact::kDay), [&](WordSet set) { condition.words |= set; });
    case Kind::kText:
    case Kind::kSwitch:
      break;
  }
  if (text.empty()) return "must not be empty";
  condition.globs.push_back(text);
  return std::nullopt;
}

bool is_flag(const Value& value) {
  const std::string& text = value.node->text;
  return value.node->kind == Node::Kind::kText && (text == "true" || text == "false");
}

// The fact is there, or it is not.
void add_flag(const FactRow& row, const Value& item, Condition& condition) {
  if (!row.may_lack) item.fail("every request has " + std::string(to_string(row.fact)) + "; write what it must be");
  if (condition.present) item.fail("stands beside another true or false");
  condition.present = item.node->text == "true";
}

void read_tests(const FactRow& row, const Value& value, Condition& condition) {
  const auto items = one_or_more(value);
  if (items.empty()) value.fail("an empty list, which no request meets");
  for (const Value& item : items) {
    condition.test += (condition.test.empty() ? "" : " or ") + item.node->text;
    if (row.fact != Fact::kTags && is_flag(item)) {
      add_flag(row, item, condition);
      continue;
    }
    const auto text = read_text(item);
    if (!text) continue;
    if (const auto error = add_test(row, *text, condition)) {
      item.fail(text->empty() ? *error : item.shown() + ": " + *error);
    }
  }
}

void read_condition(const FactRow& row, const Value& value, Conditions& conditions) {
  Condition condition;
  condition.fact = row.fact;
  if (row.kind == Kind::kSwitch) {
    condition.present = read_flag(value);
    condition.test = value.node->text;
  } else {
    read_tests(row, value, condition);
  }
  conditions.push_back(std::move(condition));
}

void read_tag_tests(const Value& section, Conditions& conditions) {
  static const FactRow kTag = {Fact::kTags, Kind::kText};
  const auto tags = read_entries(section);
  if (tags.empty() && section.node->kind == Node::Kind::kMap)
    section.fail("is empty; expected a tag, e.g. feature: search");
  for (const Named& tag : tags) {
    if (const auto error = tag_name_error(tag.name)) tag.value.fail_key(*error);
    Condition condition;
    condition.fact = Fact::kTags;
    condition.tag = tag.name;
    read_tests(kTag, tag.value, condition);
    conditions.push_back(std::move(condition));
  }
}

}  // namespace

void read_when(const Value& section, Conditions& conditions) {
  MapReader map(section);
  for (const FactRow& row : kRows) {
    map.section(to_string(row.fact), [&](const Value& value) { read_condition(row, value, conditions); });
  }
  map.section(to_string(Fact::kTags), [&](const Value& value) { read_tag_tests(value, conditions); });
}

}  // namespace sluice::config
