#pragma once
// Collects what is wrong, and the words it is told with.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/source.hpp"
#include "sluice/config/load.hpp"

namespace sluice::config {

class Report {
 public:
  // What is told stays on one line, whatever it quotes.
  void add(Position at, const std::string& path, std::string message);
  void add(Problem problem);
  void note(std::string text);
  bool clean() const { return problems_.empty(); }
  std::size_t count() const { return problems_.size(); }
  std::vector<Problem> take_problems();  // those of the configuration itself first; by line, then column
  std::vector<std::string> take_notes() { return std::move(notes_); }

 private:
  std::vector<Problem> problems_;
  std::vector<std::string> notes_;
};

// `parent.key`, the key in quotes unless it is a plain word; `parent[index]`.
std::string join(const std::string& parent, std::string_view key);
std::string join(const std::string& parent, std::size_t index);

// Control characters become question marks, so that a message stays one line.
std::string printable(std::string text);
// In double quotes, on one line, without control characters, and not longer than a line.
std::string in_quotes(std::string_view text);

// `did you mean "x"?` for a word that is two edits away or a beginning (or the reverse); else `expected a, b or c`.
std::string suggestion(std::string_view word, std::span<const std::string> known);

}  // namespace sluice::config
