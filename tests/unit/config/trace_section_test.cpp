#include <gtest/gtest.h>

#include "unit/config/support.hpp"

namespace sluice::config {
namespace {

std::string problem_in(const std::string& trace) { return listing(problems_of(with_top("trace: {" + trace + "}"))); }

TEST(TraceSection, KeepsNoContentUnlessItIsTold) {
  const Config config = load_good(with_top("trace: {path: x}")).config;
  EXPECT_EQ(config.trace.content, Content::kNone);
  EXPECT_EQ(config.trace.content_bytes, 64U * 1024);
  EXPECT_TRUE(config.trace.redact.empty());
  EXPECT_TRUE(config.trace.secret.empty());
  EXPECT_EQ(config.models[0].content, std::nullopt);
}

TEST(TraceSection, ModelsAndKeysSayWhatTheyLetIt) {
  const std::string hash = "sluice1:" + std::string(12, 'A') + ":" + std::string(32, '0') + ":" + std::string(64, '0');
  const Config config = load_good(
                            "trace: {content: hash}\nproviders: {p: {base_url: \"http://h/v1\"}}\n"
                            "models: {m: {target: p/x, content: full}, n: {rules: [{use: m}], content: none}}\n"
                            "keys: [{name: k, hash: \"" +
                            hash + "\", content: redacted}]\n")
                            .config;
  EXPECT_EQ(config.trace.content, Content::kHash);
  EXPECT_EQ(config.models[0].content, Content::kFull);
  EXPECT_EQ(config.models[1].content, Content::kNone);
  EXPECT_EQ(config.keys[0].content, Content::kRedacted);
}

TEST(TraceSection, EndUsersAreNamedHashedOrLeftOut) {
  EXPECT_EQ(load_good(with_top("trace: {path: x}")).config.trace.users, TraceUsers::kName);
  EXPECT_EQ(load_good(with_top("trace: {users: hash}")).config.trace.users, TraceUsers::kHash);
  EXPECT_EQ(load_good(with_top("trace: {users: none}")).config.trace.users, TraceUsers::kNone);
  EXPECT_NE(problem_in("users: all"), "");
}

TEST(TraceSection, PatternsAreRead) {
  const Config config =
      load_good(
          with_top("trace: {redact: [{name: ticket, pattern: \"ACME-[0-9]{6}$\"}, {name: x-1, pattern: 'a\\b'}]}"))
          .config;
  const std::vector<RedactPattern> expected = {{"ticket", "ACME-[0-9]{6}$"}, {"x-1", "a\\b"}};
  EXPECT_EQ(config.trace.redact, expected);
}

TEST(TraceSection, BadPatternsAreToldWithTheirPlace) {
  const auto problems = problems_of(with_top("trace:\n  redact:\n    - {name: ticket, pattern: \"ACME-(\"}"));
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(listing(problems),
            "x.yaml:3:31: trace.redact[0].pattern: not a regular expression in RE2's syntax: missing ): ACME-(\n");
  EXPECT_NE(problem_in("redact: [{name: a, pattern: \"x*\"}]").find("matches the empty text"), std::string::npos);
  EXPECT_NE(problem_in("redact: [{name: a, pattern: \"(x)\\\\1\"}]").find("RE2"), std::string::npos);
  EXPECT_NE(problem_in("redact: [{name: a, pattern: x}, {name: a, pattern: y}]").find("another"), std::string::npos);
  EXPECT_NE(problem_in("redact: [{name: email, pattern: x}]").find("built-in"), std::string::npos);
  EXPECT_NE(problem_in("redact: [{name: a}]").find("expected a regular expression"), std::string::npos);
  EXPECT_NE(problem_in("redact: [{pattern: a}]").find("expected a name"), std::string::npos);
}

TEST(TraceSection, WhatIsWrongIsTold) {
  for (const char* text : {"content: some", "content: [full]", "content_bytes: 1B", "content_bytes: 2MiB",
                           "redact: ACME", "redact: [ACME]", "redact: [{name: \"A b\", pattern: x}]",
                           "redact: [{name: \"\", pattern: x}]", "secret: plain"}) {
    EXPECT_NE(problem_in(text), "") << text;
  }
  EXPECT_NE(listing(problems_of(in_models("  m: {target: p/x, content: nothing}"))), "");
}

}  // namespace
}  // namespace sluice::config
