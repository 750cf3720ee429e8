#include "routing/cool_down.hpp"

#include <gtest/gtest.h>

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;
constexpr TimePoint kStart{1h};
constexpr CoolDownSettings kSettings;

TEST(CoolDown, F37RestsAsLongAsTheProviderSaid) {
  CoolDown rest;
  EXPECT_LT(rest.until(), kStart);
  rest.begin(kSettings, 5s, kStart);
  EXPECT_EQ(rest.until(), kStart + 5s);
  rest.begin(kSettings, 2s, kStart + 1s);
  EXPECT_EQ(rest.until(), kStart + 5s) << "never shortened";
  rest.begin(kSettings, 9s, kStart + 1s);
  EXPECT_EQ(rest.until(), kStart + 10s);
}

TEST(CoolDown, F37BelievesNoProviderForLongerThanAnHour) {
  CoolDown rest;
  rest.begin(kSettings, milliseconds::max(), kStart);
  EXPECT_EQ(rest.until(), kStart + 1h);
}

TEST(CoolDown, DoublesFromOneSecondToAMinuteWhenNothingIsSaid) {
  CoolDown rest;
  TimePoint now = kStart;
  for (const auto wait : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    rest.begin(kSettings, std::nullopt, now);
    EXPECT_EQ(rest.until(), now + wait);
    now += wait;
  }
  for (int i = 0; i < 100; ++i) rest.begin(kSettings, 0ms, now += 1min);
  EXPECT_EQ(rest.until(), now + 60s);
}

TEST(CoolDown, ManyRefusalsAtOnceAreOneRest) {
  CoolDown rest;
  for (int i = 0; i < 10; ++i) rest.begin(kSettings, std::nullopt, kStart);
  EXPECT_EQ(rest.until(), kStart + 1s);
}

TEST(CoolDown, BeginsAnewAfterAnAnswerThatCameWhenItWasOver) {
  CoolDown rest;
  rest.begin(kSettings, std::nullopt, kStart);
  rest.begin(kSettings, std::nullopt, kStart + 1s);
  rest.worked(kStart + 2s);
  EXPECT_EQ(rest.until(), kStart + 3s) << "what was sent before the rest does not end it";
  rest.begin(kSettings, std::nullopt, kStart + 3s);
  EXPECT_EQ(rest.until(), kStart + 7s);
  rest.worked(kStart + 8s);
  rest.begin(kSettings, std::nullopt, kStart + 9s);
  EXPECT_EQ(rest.until(), kStart + 10s);
}

TEST(CoolDown, ForEverDoesNotOverflow) { EXPECT_EQ(later(kStart, milliseconds::max()), kNever); }

}  // namespace
}  // namespace sluice::routing
