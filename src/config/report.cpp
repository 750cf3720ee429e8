#include "config/report.hpp"

#include <algorithm>
#include <optional>
#include <tuple>

#include "sluice/core/text.hpp"

namespace sluice::config {
namespace {

constexpr std::size_t kMaxShown = 60;
constexpr std::size_t kMaxEdits = 2;
constexpr std::size_t kMinPrefix = 3;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

// How far `word` is from `candidate`; nothing when it is too far to be a slip.
std::optional<std::size_t> slip(std::string_view word, std::string_view candidate) {
  auto [shorter, longer] = std::minmax({word.size(), candidate.size()});
  bool prefix = shorter >= kMinPrefix && (word.starts_with(candidate) || candidate.starts_with(word));
  if (longer - shorter > kMaxEdits) return prefix ? std::optional(longer) : std::nullopt;
  std::size_t edits = edit_distance(word, candidate);
  if (edits <= kMaxEdits && 2 * edits <= longer) return edits;
  return prefix ? std::optional(longer) : std::nullopt;
}

std::string listed(std::span<const std::string> words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " or " : ", ";
    out += words[i];
  }
  return out;
}

}  // namespace

void Report::add(Position at, const std::string& path, std::string message) {
  add({at.line, at.column, path, std::move(message)});
}

void Report::add(Problem problem) {
  problem.message = printable(std::move(problem.message));
  problems_.push_back(std::move(problem));
}

void Report::note(std::string text) { notes_.push_back(printable(std::move(text))); }

std::vector<Problem> Report::take_problems() {
  std::ranges::sort(problems_, {},
                    [](const Problem& p) { return std::tie(p.file, p.line, p.column, p.path, p.message); });
  return std::move(problems_);
}

std::string join(const std::string& parent, std::string_view key) {
  bool plain = !key.empty() && std::ranges::all_of(key, is_plain);
  std::string step = plain ? std::string(key) : in_quotes(key);
  return parent.empty() ? step : parent + "." + step;
}

std::string join(const std::string& parent, std::size_t index) { return parent + "[" + std::to_string(index) + "]"; }

std::string printable(std::string text) {
  std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
  return text;
}

std::string in_quotes(std::string_view text) { return '"' + printable(truncate_utf8(text, kMaxShown)) + '"'; }

std::string suggestion(std::string_view word, std::span<const std::string> known) {
  const std::string* best = nullptr;
  std::size_t best_slip = 0;
  for (const std::string& candidate : known) {
    auto distance = slip(word, candidate);
    if (!distance || (best != nullptr && *distance >= best_slip)) continue;
    best = &candidate;
    best_slip = *distance;
  }
  if (best != nullptr) return "did you mean " + in_quotes(*best) + "?";
  return known.empty() ? "none is known here" : "expected " + listed(known);
}

}  // namespace sluice::config
