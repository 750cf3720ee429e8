#include <gtest/gtest.h>

#include "unit/config/support.hpp"

namespace sluice::config {
namespace {

std::int64_t cap_in(const GuardRules& rules, Cap cap) { return rules.caps[place_of(cap)].value_or(-1); }

TEST(GuardSection, IsATripwireUnlessItSaysOtherwise) {
  const Guard guard = load_good(with_top("")).config.guard;
  EXPECT_EQ(guard.rules.mode, GuardMode::kEnforce);
  EXPECT_EQ(cap_in(guard.rules, Cap::kTurns), 3);
  EXPECT_EQ(cap_in(guard.rules, Cap::kCost), 10'000'000);
  for (const auto& cap : guard.rules.caps) EXPECT_TRUE(cap);
}

TEST(GuardSection, ReadsEveryCap) {
  const Guard guard =
      load_good(with_top("guard: {mode: observe, turns: 2k, cost: 1.5 USD, tokens: none, duration: 90s, "
                         "parallel: 7, same_request: 8, same_tool_call: none, headers: [X-A, x-b], "
                         "metadata: false, expires: 5m, longest_call: 2m, most_runs: 9, most_tool_calls: 8}"))
          .config.guard;
  EXPECT_EQ(guard.rules.mode, GuardMode::kObserve);
  const std::array expected = {2000L, 1'500'000'000L, kNoCap, 90'000L, 7L, 8L, kNoCap};
  for (std::size_t i = 0; i < kCaps; ++i) EXPECT_EQ(guard.rules.caps[i], expected[i]) << to_string(static_cast<Cap>(i));
  EXPECT_EQ(guard.headers, (std::vector<std::string>{"x-a", "x-b"}));
  EXPECT_FALSE(guard.metadata);
  EXPECT_EQ(guard.expires, std::chrono::minutes(5));
  EXPECT_EQ(guard.longest_call, std::chrono::minutes(2));
  EXPECT_EQ(guard.most_runs, 9U);
  EXPECT_EQ(guard.most_tool_calls, 8U);
}

TEST(GuardSection, AKeyWinsMemberByMember) {
  const Guard guard = load_good(with_top("guard: {turns: 5, cost: none}")).config.guard;
  GuardRules key;
  key.mode = GuardMode::kOff;
  key.caps[place_of(Cap::kCost)] = 7;
  const GuardRules rules = rules_of(guard, &key);
  EXPECT_EQ(rules.mode, GuardMode::kOff);
  EXPECT_EQ(cap_in(rules, Cap::kTurns), 5);
  EXPECT_EQ(cap_in(rules, Cap::kCost), 7);
  EXPECT_EQ(rules_of(guard, nullptr), guard.rules);
}

TEST(GuardSection, WhatIsWrongIsTold) {
  for (const char* text :
       {"{mode: maybe}", "{turns: 0}", "{turns: -1}", "{turns: many}", "{cost: 1}", "{cost: 1 EUR}", "{tokens: 1.5}",
        "{duration: 10}", "{headers: x}", "{headers: [\"a b\"]}", "{headers: [x-a, X-A]}", "{metadata: maybe}",
        "{expires: 1ms}", "{most_runs: 0}", "{most_tool_calls: 0}", "{longest_call: 2d}", "{nonsense: 1}"}) {
    EXPECT_NE(listing(problems_of(with_top("guard: " + std::string(text)))), "") << text;
  }
}

}  // namespace
}  // namespace sluice::config
