#include "sluice/core/content_redactor.hpp"

#include <algorithm>
#include <tuple>

#include "core/folded_text.hpp"
#include "core/regex.hpp"
#include "core/secret_kinds.hpp"
#include "sluice/core/text.hpp"

namespace sluice {
namespace {

constexpr std::size_t kLongestExpression = 1024;
constexpr int kExpressionMemory = 1 << 20;  // of one expression and its automaton
// An expression may look far ahead before it settles for something short, and do so again at each byte. So it looks at
// no more than this at a time, which makes the work a fixed multiple of the text's length.
constexpr std::size_t kWindow = 2 * ContentRedactor::kLookAhead;

re2::RE2::Options text_options() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kExpressionMemory);
  return options;
}

// What begins in the first half of a window and goes on beyond its end is followed as far as it goes.
Span followed(const re2::RE2& expression, std::string_view text, Span span) {
  std::size_t end = span.end;
  for (std::size_t size = 2 * kWindow; span.end == end && end < text.size(); size *= 2) {
    end = std::min(text.size(), span.begin + size);
    if (const auto longer = match_in(expression, text, span.begin, end)) span.end = std::max(span.end, longer->end);
  }
  return span;
}

void find_matches(const re2::RE2& expression, std::string_view text, std::string_view kind, std::vector<Find>& finds) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.size(), at + kWindow);
    const auto match = match_in(expression, text, at, end);
    if (!match) {
      at = end == text.size() ? end : at + kWindow / 2;
    } else if (match->end == end && end < text.size() && match->begin > at + kWindow / 2) {
      at = match->begin;
    } else if (match->size() == 0) {
      at = match->begin + 1;
    } else {
      const Span span = followed(expression, text, *match);
      finds.push_back({span.begin, span.end, kind});
      at = span.end;
    }
  }
}

// In order, and none within reach of another: what overlaps is one find, of the kind of its beginning.
void merge(std::vector<Find>& finds) {
  for (std::size_t i = 0; i < finds.size(); ++i) finds[i].order = i;
  std::ranges::sort(finds, {}, [](const Find& find) { return std::tuple(find.begin, ~find.end, find.order); });
  std::size_t kept = 0;
  for (std::size_t i = 1; i < finds.size(); ++i) {
    if (finds[i].begin < finds[kept].end) {
      finds[kept].end = std::max(finds[kept].end, finds[i].end);
    } else {
      finds[++kept] = finds[i];
    }
  }
  if (!finds.empty()) finds.resize(kept + 1);
}

}  // namespace

struct ContentRedactor::Custom {
  std::string name;
  std::unique_ptr<const re2::RE2> expression;

  static void find(const std::vector<Custom>& customs, std::string_view text, std::vector<Find>& finds) {
    // First, so that of equal finds theirs counts.
    for (const Custom& one : customs) find_matches(*one.expression, text, one.name, finds);
    find_tokens(text, finds);
    find_emails(text, finds);
    find_cards(text, finds);
    find_phones(text, finds);
  }
};

std::optional<std::string> ContentRedactor::error_in(std::string_view expression) {
  if (expression.size() > kLongestExpression) return "the pattern is longer than 1024 bytes";
  const re2::RE2 compiled(re2::StringPiece(expression.data(), expression.size()), text_options());
  if (!compiled.ok()) return "not a regular expression in RE2's syntax: " + compiled.error();
  if (match_in(compiled, "", 0, 0)) return "the pattern matches the empty text, and so everywhere";
  return std::nullopt;
}

ContentRedactor::ContentRedactor(const std::vector<Pattern>& patterns) {
  for (const Pattern& one : patterns) {
    customs_.push_back({one.name, std::make_unique<const re2::RE2>(one.expression, text_options())});
  }
}

ContentRedactor::~ContentRedactor() = default;

std::string ContentRedactor::redact(std::string_view text, std::size_t most, Counts& counts) const {
  std::vector<Find> finds;
  Custom::find(customs_, text, finds);
  if (FoldedText folded; fold(text, folded)) {
    const std::size_t plain = finds.size();
    Custom::find(customs_, folded.text, finds);
    for (std::size_t i = plain; i < finds.size(); ++i) {
      finds[i].begin = folded.places[finds[i].begin];
      finds[i].end = folded.places[finds[i].end];
    }
  }
  merge(finds);
  std::string out;
  std::size_t at = 0;
  for (const Find& find : finds) {
    if (find.begin >= most) break;
    out.append(text, at, find.begin - at).append("[redacted:").append(find.kind).append("]");
    ++counts[std::string(find.kind)];
    at = find.end;
  }
  // Of the text itself no more than `most` bytes are shown; what is struck out may have been shorter than what says so.
  if (at < most) out += truncate_utf8(text.substr(std::min(at, text.size())), most - at);
  const bool cut = at >= most && at < text.size();
  if (out.size() > most + std::string_view("…").size()) return truncate_utf8(out, most);
  return cut ? out + "…" : out;
}

}  // namespace sluice
