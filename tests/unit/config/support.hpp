#pragma once
// What the configuration tests share: an environment made of a map, and problems as comparable text.

#include <gtest/gtest.h>

#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/config/load.hpp"

namespace sluice::config {

using Variables = std::map<std::string, std::string>;

inline Environment environment_of(Variables variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

inline std::vector<Problem> problems_of(std::string_view yaml, const Variables& variables = {}) {
  auto loaded = load_text(yaml, environment_of(variables));
  return loaded ? std::vector<Problem>{} : loaded.error();
}

inline std::string listing(const std::vector<Problem>& problems) {
  std::string out;
  for (const Problem& problem : problems) out += to_string("x.yaml", problem) + "\n";
  return out;
}

// The configuration of a text that must be good.
inline Loaded load_good(std::string_view yaml, const Variables& variables = {}) {
  auto loaded = load_text(yaml, environment_of(variables));
  if (loaded) return *loaded;
  ADD_FAILURE() << listing(loaded.error());
  return {};
}

// Three frames to put the line of interest into. Each needs nothing else to be good.
inline std::string with_top(std::string_view lines) {  // starts at line 1
  return std::string(lines) + "\nproviders: {p: {base_url: \"http://h.test/v1\"}}\nmodels: {m: p/x}\n";
}
inline std::string in_provider(std::string_view lines) {  // starts at line 4, keys at column 5
  return "models: {m: p/x}\nproviders:\n  p:\n" + std::string(lines) + "\n";
}
inline std::string in_upstream(std::string_view lines) {  // the same, with a base_url: starts at line 5
  return in_provider("    base_url: https://h.test/v1\n" + std::string(lines));
}
inline std::string in_models(std::string_view lines) {  // starts at line 5, keys at column 3
  return "providers:\n  p: {base_url: \"http://h.test\"}\n  house: {dialect: static, answer: hi}\nmodels:\n" +
         std::string(lines) + "\n";
}

inline Target target_of(const std::string& provider, const std::string& model) {
  return {.provider = provider, .model = model};
}
inline Target when_off(const std::string& provider, const std::string& model) {
  return {.provider = provider, .model = model, .tier = 1, .when_off = true};
}

// The hash of a key that nobody has, with an id of 12 characters of one's own.
inline std::string hash_with(std::string_view id) {
  return "sluice1:" + std::string(id) + ":00112233445566778899aabbccddeeff:" + std::string(32, '0') +
         std::string(32, 'f');
}
inline const std::string kHash = hash_with("Abcdefgh0123");

inline std::string in_key(std::string_view lines) {  // starts at line 4, members at column 3
  return with_top("keys:\n- name: k\n  hash: " + kHash + "\n" + std::string(lines));
}

struct BadCase {
  std::string name;
  std::string yaml;
  int line;
  int column;
  std::string path;
  std::string fragment;
};
inline void PrintTo(const BadCase& bad, std::ostream* out) { *out << bad.name; }

inline void expect_only_problem(const BadCase& bad, const Variables& variables) {
  auto problems = problems_of(bad.yaml, variables);
  ASSERT_EQ(problems.size(), 1U) << bad.yaml << "\n" << listing(problems);
  EXPECT_EQ(problems[0].line, bad.line) << listing(problems);
  EXPECT_EQ(problems[0].column, bad.column) << listing(problems);
  EXPECT_EQ(problems[0].path, bad.path);
  EXPECT_NE(problems[0].message.find(bad.fragment), std::string::npos) << problems[0].message;
}

}  // namespace sluice::config
