#include "sluice/guard/tool_log.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace sluice::guard {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1000s};
constexpr ToolLog::Asker kAsker{.owner = "app", .run_id = "r", .request_id = "req_1"};

TEST(ToolLog, TellsOnceWhoAsked) {
  ToolLog log(config::Guard{});
  log.asked(kAsker, {{"c1", "search", 5}}, kStart);
  const auto asked = log.brought("app", "c1", kStart + 2s);
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->name, "search");
  EXPECT_EQ(asked->arguments, 5U);
  EXPECT_EQ(asked->request_id, "req_1");
  EXPECT_EQ(asked->when, kStart);
  EXPECT_FALSE(log.brought("app", "c1", kStart + 3s));
  log.asked(kAsker, {{"c1", "search", 5}}, kStart + 4s);
  EXPECT_TRUE(log.brought("app", "c1", kStart + 5s)) << "upstreams may number them anew";
}

TEST(ToolLog, IdsAreTheOwners) {
  ToolLog log(config::Guard{});
  log.asked(kAsker, {{"c1", "search", 5}}, kStart);
  const auto other = log.brought("other", "c1", kStart);
  ASSERT_TRUE(other);
  EXPECT_EQ(other->request_id, "");
  EXPECT_EQ(log.brought("app", "c1", kStart)->request_id, "req_1");
}

TEST(ToolLog, CountsRepetitionsInARun) {
  ToolLog log(config::Guard{});
  log.asked(kAsker, {{"c1", "search", 5}, {"c2", "search", 6}}, kStart);
  log.asked(kAsker, {{"c3", "search", 5}}, kStart);
  log.asked({.owner = "app", .run_id = "other", .request_id = "req_2"}, {{"c4", "search", 5}}, kStart);
  EXPECT_EQ(log.brought("app", "c1", kStart)->earlier, 0U);
  EXPECT_EQ(log.brought("app", "c2", kStart)->earlier, 0U);
  EXPECT_EQ(log.brought("app", "c3", kStart)->earlier, 1U);
  EXPECT_EQ(log.brought("app", "c4", kStart)->earlier, 0U);
}

TEST(ToolLog, ForgetsWhatIsOld) {
  ToolLog log(config::Guard{.expires = 10s});
  log.asked(kAsker, {{"c1", "search", 5}}, kStart);
  EXPECT_EQ(log.brought("app", "c1", kStart + 10s)->request_id, "");
}

TEST(ToolLogThreads, TellEachCallOnce) {
  ToolLog log(config::Guard{});
  for (int i = 0; i < 500; ++i) log.asked(kAsker, {{std::to_string(i), "t", 1}}, kStart);
  std::atomic<int> told = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        told += log.brought("app", std::to_string(i), kStart) ? 1 : 0;
        log.asked(kAsker, {{std::to_string(1000 * (t + 1) + i), "t", 1}}, kStart);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(told, 500);
}

TEST(ToolLog, IsBounded) {
  ToolLog log(config::Guard{.most_tool_calls = 640});
  for (int i = 0; i < 5000; ++i) {
    log.asked({.owner = "app", .run_id = "", .request_id = "req"}, {{std::to_string(i), "t", 1}}, kStart);
  }
  EXPECT_LE(log.counts().waiting, 640U);
  EXPECT_GE(log.counts().evicted, 5000U - 640U);
}

}  // namespace
}  // namespace sluice::guard
