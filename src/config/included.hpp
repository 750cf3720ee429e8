#pragma once
// Files that the configuration names and reads as a part of itself.

#include <optional>
#include <string>

#include "config/reader.hpp"

namespace sluice::config {

struct Included {
  std::string name;  // as problems and operators are told
  std::string text;
};

// What the file that `value` names holds: at most `most` bytes of text without control characters. The name starts from
// the configuration's folder; an empty one, written as "", is none. Whatever is wrong is reported: with the name at
// `value`, with the text in that file.
std::optional<Included> read_included(const Value& value, std::size_t most);

// Problems found in that file, told as problems of that file.
void add_problems(Report& found, const Included& file, Report& report);

}  // namespace sluice::config
