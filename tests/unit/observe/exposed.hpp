#pragma once
// What a scrape has got.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

namespace sluice::observe {

// A reader of the text exposition format, version 0.0.4, that accepts nothing else.
struct Exposed {
  std::map<std::string, double> samples;  // name{labels} → value
  std::map<std::string, std::string> types;
  std::set<std::string> labels;  // name=value pairs

  double operator[](const std::string& name) const {
    const auto found = samples.find(name);
    return found == samples.end() ? -1 : found->second;
  }
};

inline bool is_name(std::string_view text) {
  const auto good = [](char c) { return c == '_' || c == ':' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !text.empty() && good(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return good(c) || (c >= '0' && c <= '9'); });
}

// The label set at the front of `rest`, braces included, which is taken off.
inline bool read_labels(std::string_view& rest, Exposed& exposed) {
  std::size_t at = 1;
  while (at < rest.size() && rest[at] != '}') {
    const auto equals = rest.find("=\"", at);
    if (equals == std::string_view::npos || !is_name(rest.substr(at, equals - at))) return false;
    auto end = equals + 2;
    while (end < rest.size() && rest[end] != '"') end += rest[end] == '\\' ? 2 : 1;
    if (end >= rest.size()) return false;
    exposed.labels.emplace(rest.substr(at, end + 1 - at));
    at = end + 1;
    if (at < rest.size() && rest[at] == ',') ++at;
  }
  if (at >= rest.size()) return false;
  rest.remove_prefix(at + 1);
  return true;
}

inline Exposed parse(const std::string& text) {
  Exposed exposed;
  EXPECT_TRUE(text.empty() || text.ends_with('\n'));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    if (line.starts_with("# TYPE ")) {
      std::string skip, name, type;
      words >> skip >> skip >> name >> type;
      EXPECT_TRUE(exposed.types.emplace(name, type).second) << "typed twice: " << name;
      EXPECT_TRUE(type == "counter" || type == "gauge" || type == "histogram") << line;
      continue;
    }
    if (line.starts_with("# HELP ")) continue;
    std::string_view rest = line;
    const auto name_end = rest.find_first_of("{ ");
    EXPECT_TRUE(name_end != std::string_view::npos && is_name(rest.substr(0, name_end))) << line;
    if (name_end == std::string_view::npos) continue;
    rest.remove_prefix(name_end);
    if (rest.front() == '{') {
      EXPECT_TRUE(read_labels(rest, exposed)) << line;
    }
    char* end = nullptr;
    const std::string number(rest.substr(std::min<std::size_t>(1, rest.size())));
    const double value = std::strtod(number.c_str(), &end);
    EXPECT_TRUE(end != number.c_str() && *end == '\0') << line;
    const auto key = line.substr(0, line.size() - rest.size());
    EXPECT_TRUE(exposed.samples.emplace(key, value).second) << "twice: " << key;
  }
  return exposed;
}

}  // namespace sluice::observe
