#include "config/test_values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "config/report.hpp"
#include "config/values.hpp"
#include "sluice/config/units.hpp"
#include "sluice/core/endpoint.hpp"
#include "sluice/core/text.hpp"

namespace sluice::config {
namespace {

using Number = std::expected<double, std::string>;

constexpr unsigned kDayMinutes = 24 * 60;

template <class T>
Number as_number(const std::expected<T, std::string>& parsed) {
  if (!parsed) return std::unexpected(parsed.error());
  if constexpr (std::is_same_v<T, std::int64_t>) return static_cast<double>(*parsed);
  if constexpr (std::is_same_v<T, milliseconds>) return static_cast<double>(parsed->count());
}

Number parse_fraction(std::string_view text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (error == std::errc() && rest == end && number >= 0 && number <= 1) return number;
  return std::unexpected("write a number from 0 to 1, e.g. 0.3");
}

Number parse_percent(std::string_view text) {
  const auto number = text.ends_with('%') ? parse_whole(text.substr(0, text.size() - 1)) : std::nullopt;
  if (number && *number <= 100) return static_cast<double>(*number);
  return std::unexpected("write a percentage, e.g. 20%");
}

Number parse_number(std::string_view text, Unit unit) {
  switch (unit) {
    case Unit::kFraction:
      return parse_fraction(text);
    case Unit::kDuration:
      return as_number(parse_duration(text));
    case Unit::kPercent:
      return parse_percent(text);
    case Unit::kCount:
      break;
  }
  return as_number(parse_count(text));
}

std::expected<Span, std::string> parse_range(std::string_view low, std::string_view high, Unit unit) {
  const Number least = parse_number(trim(low), unit);
  const Number most = parse_number(trim(high), unit);
  if (!least) return std::unexpected(least.error());
  if (!most) return std::unexpected(most.error());
  if (*least > *most) return std::unexpected("the first number is larger than the second");
  return Span{.least = *least, .most = *most};
}

std::expected<Span, std::string> parse_comparison(std::string_view text, Unit unit) {
  const bool greater = text.front() == '>';
  const bool open = !text.substr(1).starts_with('=');
  const Number number = parse_number(trim(text.substr(open ? 1 : 2)), unit);
  if (!number) return std::unexpected(number.error());
  if (greater) return Span{.least = *number, .open_least = open};
  return Span{.most = *number, .open_most = open};
}

std::vector<Word> words_of_code() {
  std::vector<Word> out;
  for (unsigned i = 0; i < kCodeLanguages; ++i) out.push_back({to_string(static_cast<CodeLanguage>(i)), i});
  return out;
}

}  // namespace

std::expected<Span, std::string> parse_span(std::string_view text, Unit unit) {
  text = trim(text);
  if (text.starts_with('<') || text.starts_with('>')) return parse_comparison(text, unit);
  if (const auto dots = text.find(".."); dots != text.npos) {
    return parse_range(text.substr(0, dots), text.substr(dots + 2), unit);
  }
  return parse_range(text, text, unit);
}

std::optional<unsigned> parse_minute(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hours = parse_whole(text.substr(0, 2));
  const auto minutes = parse_whole(text.substr(3));
  if (!hours || !minutes || *minutes > 59) return std::nullopt;
  const auto all = static_cast<unsigned>(*hours * 60 + *minutes);
  return all <= kDayMinutes ? std::optional(all) : std::nullopt;
}

std::expected<Hours, std::string> parse_hours(std::string_view text) {
  const auto dash = text.find('-');
  const auto from = dash == text.npos ? std::nullopt : parse_minute(trim(text.substr(0, dash)));
  const auto to = dash == text.npos ? std::nullopt : parse_minute(trim(text.substr(dash + 1)));
  if (!from || !to) return std::unexpected("write two times of the day in UTC, e.g. 22:00-06:00");
  if (*from == *to) return std::unexpected("begins when it ends");
  return Hours{*from, *to};
}

std::span<const Word> code_words() {
  static const std::vector<Word> kWords = words_of_code();
  return kWords;
}

std::span<const Word> endpoint_words() {
  static constexpr std::array kWords = {Word{"chat", static_cast<unsigned>(Endpoint::kChat)},
                                        Word{"completions", static_cast<unsigned>(Endpoint::kCompletions)},
                                        Word{"embeddings", static_cast<unsigned>(Endpoint::kEmbeddings)},
                                        Word{"responses", static_cast<unsigned>(Endpoint::kResponses)},
                                        Word{"moderations", static_cast<unsigned>(Endpoint::kModerations)}};
  return kWords;
}

std::span<const Word> day_words() {
  static constexpr std::array kWords = {Word{"mon", 0}, Word{"tue", 1}, Word{"wed", 2}, Word{"thu", 3},
                                        Word{"fri", 4}, Word{"sat", 5}, Word{"sun", 6}};
  return kWords;
}

std::expected<WordSet, std::string> parse_words(std::string_view text, std::span<const Word> words, bool ordered) {
  const auto dash = ordered ? text.find('-') : text.npos;
  const std::string_view ends[] = {text.substr(0, dash), dash == text.npos ? text : text.substr(dash + 1)};
  unsigned numbers[2] = {};
  for (std::size_t i = 0; i < 2; ++i) {
    const auto word = std::ranges::find(words, ends[i], &Word::text);
    if (word == words.end()) {
      std::vector<std::string> known;
      for (const Word& one : words) known.emplace_back(one.text);
      return std::unexpected("not known; " + suggestion(ends[i], known));
    }
    numbers[i] = word->number;
  }
  WordSet set = WordSet{1} << numbers[0];
  for (unsigned at = numbers[0]; at != numbers[1];) {
    at = (at + 1) % static_cast<unsigned>(words.size());
    set |= WordSet{1} << at;
  }
  return set;
}

}  // namespace sluice::config
