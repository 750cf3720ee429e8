#pragma once
// RE2 on views: a search takes time in proportion to what it looks at, whatever the expression and the text are.

#include <re2/re2.h>

#include <cstddef>
#include <optional>
#include <string_view>

namespace sluice {

struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const { return end - begin; }
};

// The first match in text[from, to); what lies around it counts for \b, ^ and $.
inline std::optional<Span> match_in(const re2::RE2& expression, std::string_view text, std::size_t from,
                                    std::size_t to) {
  re2::StringPiece found;
  const re2::StringPiece whole(text.data(), text.size());
  if (!expression.Match(whole, from, to, re2::RE2::UNANCHORED, &found, 1)) return std::nullopt;
  const auto begin = static_cast<std::size_t>(found.data() - text.data());
  return Span{begin, begin + found.size()};
}

// Of plain bytes, as ASCII expressions want it.
inline re2::RE2::Options byte_options() {
  constexpr int kMemory = 1 << 20;  // of the automaton, which is begun anew beyond it
  re2::RE2::Options options(re2::RE2::Latin1);
  options.set_log_errors(false);
  options.set_max_mem(kMemory);
  return options;
}

}  // namespace sluice
