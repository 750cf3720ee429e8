// Numbers of payment cards (ISO/IEC 7812: 13 to 19 digits, the last one a check digit) and of telephones.

#include <algorithm>
#include <array>

#include "core/regex.hpp"
#include "core/secret_kinds.hpp"

namespace sluice {
namespace {

constexpr std::size_t kLeastCard = 13;
constexpr std::size_t kMostCard = 19;
constexpr std::size_t kLeastPhone = 8;  // digits of a number with its country
constexpr std::size_t kMostPhone = 15;  // ITU-T E.164
constexpr std::size_t kLeastNational = 9;
constexpr std::size_t kMostNational = 12;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alnum(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::size_t digits_in(std::string_view text) { return static_cast<std::size_t>(std::ranges::count_if(text, is_digit)); }

bool passes_luhn(const std::array<char, kMostCard>& digits, std::size_t count) {
  int sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const int digit = digits[count - 1 - i] - '0';
    const int twice = 2 * digit;
    sum += i % 2 == 0 ? digit : twice > 9 ? twice - 9 : twice;
  }
  return sum % 10 == 0;
}

// The end of the longest card number that begins with the digit at `at`, or 0. It ends where a group of digits does.
std::size_t card_end(std::string_view text, std::size_t at) {
  std::array<char, kMostCard> digits{};
  std::size_t count = 0;
  std::size_t best = 0;
  while (at < text.size() && is_digit(text[at]) && count < kMostCard) {
    digits[count++] = text[at++];
    if (at < text.size() && is_digit(text[at])) continue;
    const bool glued = at < text.size() && (is_alnum(text[at]) || text[at] == '_');
    if (count >= kLeastCard && !glued && passes_luhn(digits, count)) best = at;
    if (at < text.size() && (text[at] == ' ' || text[at] == '-')) ++at;
  }
  return best;
}

// Where a number may begin: not in the middle of a word, of another number or behind a decimal point.
bool may_begin(std::string_view text, std::size_t at) {
  if (at == 0) return true;
  const char before = text[at - 1];
  if (is_alnum(before) || before == '_') return false;
  return at < 2 || before != '.' || !is_digit(text[at - 2]);
}

// A part of a longer chain of digits, such as an id or a version, is no telephone number.
bool is_chained(std::string_view text, const Span& span) {
  const auto joins = [](char c) { return c == '-' || c == '.' || c == '/'; };
  const bool before = span.begin >= 2 && joins(text[span.begin - 1]) && is_digit(text[span.begin - 2]);
  const bool behind = span.end + 1 < text.size() && joins(text[span.end]) && is_digit(text[span.end + 1]);
  return before || behind;
}

void find(const re2::RE2& expression, std::string_view text, bool (*good)(std::string_view, Span&),
          std::vector<Find>& finds) {
  for (std::size_t at = 0; at < text.size();) {
    auto match = match_in(expression, text, at, text.size());
    if (!match) return;
    at = match->end;
    if (good(text, *match)) finds.push_back({match->begin, match->end, "phone"});
  }
}

bool good_international(std::string_view text, Span& span) {
  const std::string_view number = text.substr(span.begin, span.size());
  const std::size_t digits = digits_in(number) - (number.starts_with("00") ? 2 : 0);
  const bool longer = span.end < text.size() && is_digit(text[span.end]);
  const bool solid = digits + 1 == number.size();
  return digits >= kLeastPhone && may_begin(text, span.begin) && !(solid && longer);
}

bool good_national(std::string_view text, Span& span) {
  const std::size_t digits = digits_in(text.substr(span.begin, span.size()));
  return digits >= kLeastNational && digits <= kMostNational && !is_chained(text, span);
}

// The word that says what the number is stays.
bool good_named(std::string_view text, Span& span) {
  span.begin = text.find_first_of("(+0123456789", span.begin);
  const std::size_t digits = digits_in(text.substr(span.begin, span.size()));
  return digits >= kLeastPhone - 1 && digits <= kMostPhone;
}

}  // namespace

void find_cards(std::string_view text, std::vector<Find>& finds) {
  constexpr std::string_view kFirst = "23456";  // of those that banks give out
  for (std::size_t at = text.find_first_of(kFirst); at != text.npos;) {
    const std::size_t end = may_begin(text, at) ? card_end(text, at) : 0;
    if (end > 0) finds.push_back({at, end, "card"});
    at = text.find_first_of(kFirst, std::max(at + 1, end));
  }
}

void find_phones(std::string_view text, std::vector<Find>& finds) {
  static const re2::RE2 kInternational(
      R"(\+[1-9](?:[ ().\-/]{0,3}[0-9]){7,14}|\b00[1-9][0-9]{0,2}[ \-/](?:[ ().\-/]{0,2}[0-9]){6,12})", byte_options());
  // North America; then numbers that begin with the 0 of a trunk call, in groups of several digits and in pairs.
  static const re2::RE2 kNational(
      R"((?:\b1[ .-])?(?:\([2-9][0-9]{2}\) ?|\b[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-]?[0-9]{4}\b|)"
      R"((?:\(0[1-9][0-9]{1,4}\) ?|\b0[1-9][0-9]{1,4}[ /-] ?)[0-9]{2,4}(?:[ -]?[0-9]{2,4}){1,3}\b|)"
      R"(\b0[1-9](?:[ .-][0-9]{2}){4}\b)",
      byte_options());
  static const re2::RE2 kNamed(
      R"re((?i)\b(?:tel|telephone|phone|mobile|cell|cellphone|fax|whatsapp|sms)(?:[ _-]?(?:number|no|nr))?\b["'.:= ]{1,6})re"
      R"re([(+]{0,2}[0-9](?:[ ().\-/]{0,2}[0-9]){6,14}\b)re",
      byte_options());
  find(kInternational, text, good_international, finds);
  find(kNational, text, good_national, finds);
  find(kNamed, text, good_named, finds);
}

}  // namespace sluice
