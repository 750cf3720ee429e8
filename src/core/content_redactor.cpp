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
// An expression may look far ahead before it settles for something short, and do so again at each byte. So it sees this
// much of the text first, and twice as much each time that nothing ends in there: then what is found ends in the second
// half, and all the looking was at most a fixed multiple of the way it leads on.
constexpr std::size_t kWindow = 1024;

re2::RE2::Options text_options() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kExpressionMemory);
  return options;
}

std::optional<Span> next_match(const re2::RE2& expression, std::string_view text, std::size_t from) {
  for (std::size_t window = kWindow;; window *= 2) {
    const std::size_t end = std::min(text.size(), from + window);
    const auto match = match_in(expression, text, from, end);
    if (end == text.size() || (match && match->end < end)) return match;
  }
}

void find_matches(const re2::RE2& expression, std::string_view text, std::string_view kind, std::vector<Find>& finds) {
  for (std::size_t at = 0; at < text.size();) {
    const auto match = next_match(expression, text, at);
    if (!match) return;
    if (match->size() > 0) finds.push_back({match->begin, match->end, kind});
    at = std::max(match->end, match->begin + 1);
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

ContentRedactor::Redacted ContentRedactor::redact(std::string_view text, std::size_t most) const {
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
  Redacted made;
  std::size_t at = 0;
  for (const Find& find : finds) {
    if (find.begin >= most) break;
    made.text.append(text, at, find.begin - at).append("[redacted:").append(find.kind).append("]");
    ++made.counts[std::string(find.kind)];
    at = find.end;
  }
  // Of the text itself nothing beyond `most` is shown, however much shorter what is struck out has made it.
  made.cut = std::max(at, most) < text.size();
  if (at < most) {
    made.text += truncate_utf8(text.substr(at), most - at);
  } else if (made.cut) {
    made.text += "…";
  }
  if (made.text.size() > most + (made.cut ? std::string_view("…").size() : 0)) {
    made.text = truncate_utf8(made.text, most);
    made.cut = true;
  }
  return made;
}

}  // namespace sluice
