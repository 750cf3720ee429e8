// API keys, bearer tokens and JSON Web Tokens: known by how they begin.

#include <algorithm>

#include "core/regex.hpp"
#include "core/secret_kinds.hpp"

namespace sluice {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Words do not look like this: "sk-learn-for-everybody" is no key.
bool looks_random(std::string_view text) {
  const bool lower = std::ranges::any_of(text, [](char c) { return c >= 'a' && c <= 'z'; });
  const bool upper = std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
  return std::ranges::any_of(text, is_digit) || (lower && upper);
}

// An expression and how it may say no to what it has found.
void find(const re2::RE2& expression, std::string_view text, std::string_view kind, bool (*good)(std::string_view),
          std::vector<Find>& finds) {
  for (std::size_t at = 0; at < text.size();) {
    const auto match = match_in(expression, text, at, text.size());
    if (!match) return;
    if (good(text.substr(match->begin, match->size()))) finds.push_back({match->begin, match->end, kind});
    at = match->end;
  }
}

// Keys of the other makers have beginnings that no word has.
bool good_key(std::string_view key) {
  constexpr std::string_view kCommon = "sk-";
  const auto begin = key.find(kCommon);
  return begin > 1 || looks_random(key.substr(begin + kCommon.size()));
}

// "Bearer Responsibilities" begins with a capital letter as well.
bool good_bearer(std::string_view words) {
  const std::string_view token = words.substr(words.find_last_of(" \t") + 1);
  return looks_random(token.substr(1)) || token.ends_with('=');
}

}  // namespace

void find_tokens(std::string_view text, std::vector<Find>& finds) {
  static const re2::RE2 kKeys(
      R"((?:\b|_)(?:sk-[A-Za-z0-9_-]{16,}|[srp]k_(?:live|test)_[A-Za-z0-9]{16,}|A[KS]IA[A-Z0-9]{16}\b|)"
      R"(gh[a-z]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|xox[a-z]-[A-Za-z0-9-]{10,}|)"
      R"(xapp-[A-Za-z0-9-]{10,}|AIza[A-Za-z0-9_-]{30,}|ya29\.[A-Za-z0-9_-]{20,}|hf_[A-Za-z0-9]{20,}|)"
      R"(gsk_[A-Za-z0-9]{20,}|xai-[A-Za-z0-9]{20,}|pplx-[A-Za-z0-9]{20,}|r8_[A-Za-z0-9]{20,}|npm_[A-Za-z0-9]{30,}))",
      byte_options());
  static const re2::RE2 kBearer(R"((?i)\b(?:bearer|basic)[ \t]+[A-Za-z0-9._~+/-]{11,}[A-Za-z0-9_~+/-]=*)",
                                byte_options());
  static const re2::RE2 kJwt(R"(\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,3})", byte_options());
  find(kKeys, text, "api_key", good_key, finds);
  find(kBearer, text, "bearer", good_bearer, finds);
  find(kJwt, text, "jwt", [](std::string_view) { return true; }, finds);
}

}  // namespace sluice
