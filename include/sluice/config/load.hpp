#pragma once
// Reading a configuration file. All problems are found in one pass; a file with problems yields no configuration.

#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/config/config.hpp"

namespace sluice::config {

struct Position {  // 1-based; columns count bytes
  int line = 1;
  int column = 1;
};

struct Problem {
  int line = 0;  // 1-based; 0 when the file itself could not be read
  int column = 0;
  std::string path;     // "providers.openai.base_url"; empty for the document
  std::string message;  // what is wrong, what was expected, did you mean …
  std::string file{};   // where that is, unless it is the configuration itself
};

using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment process_environment();

// What a good file gives: the values, remarks that are no errors (a provider that is off), where each value of a named
// key stands, by its path, for whoever finds something wrong with one later, and the other files that were read.
struct Loaded {
  Config config;
  std::vector<std::string> notes;
  std::map<std::string, Position> places;
  std::vector<std::string> files{};
};

std::expected<Loaded, std::vector<Problem>> load_file(const std::string& file, const Environment& environment);
std::expected<Loaded, std::vector<Problem>> load_text(std::string_view yaml, const Environment& environment);

// "file:line:column: path: message", with the problem's own file if it has one.
std::string to_string(const std::string& file, const Problem& problem);

}  // namespace sluice::config
