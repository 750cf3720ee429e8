#pragma once
// Tests of facts as an admin writes them. Errors are sentences that do not repeat the text.

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sluice/config/conditions.hpp"

namespace sluice::config {

// What numbers of a fact are written with.
enum class Unit : std::uint8_t { kCount, kFraction, kDuration, kPercent };

// "<= 0.3", "< 5", ">= 3", "> 1k", "10..20" with both ends, "5" for exactly this. Durations become milliseconds.
std::expected<Span, std::string> parse_span(std::string_view text, Unit unit);

// "22:00-06:00", in UTC; 24:00 is the end of the day.
std::expected<Hours, std::string> parse_hours(std::string_view text);

// "06:00", in UTC: the minute of the day; 24:00 is its end. Nothing: it is none.
std::optional<unsigned> parse_minute(std::string_view text);

struct Word {
  std::string_view text;
  unsigned number = 0;  // of its bit
};
std::span<const Word> code_words();
std::span<const Word> endpoint_words();
std::span<const Word> day_words();  // mon, tue, …

// One of the words; if they have an order, also from one to another, as in mon-fri or fri-mon.
std::expected<WordSet, std::string> parse_words(std::string_view text, std::span<const Word> words, bool ordered);

}  // namespace sluice::config
