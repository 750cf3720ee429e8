#include "sluice/core/ids.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "sluice/core/build_info.hpp"
#include "sluice/core/endpoint.hpp"

namespace sluice {
namespace {

TEST(RequestIds, AreReqAnd24HexadecimalDigits) {
  for (int i = 0; i < 100; ++i) {
    const std::string id = new_request_id();
    ASSERT_EQ(id.size(), 28U);
    ASSERT_TRUE(id.starts_with("req_"));
    ASSERT_EQ(id.find_first_not_of("0123456789abcdef", 4), std::string::npos) << id;
  }
}

TEST(RequestIds, DoNotRepeatWithinOrAcrossThreads) {
  std::vector<std::vector<std::string>> made(4);
  {
    std::vector<std::jthread> threads;
    for (auto& ids : made) {
      threads.emplace_back([&ids] {
        for (int i = 0; i < 25'000; ++i) ids.push_back(new_request_id());
      });
    }
  }
  std::unordered_set<std::string> all;
  for (const auto& ids : made) all.insert(ids.begin(), ids.end());
  EXPECT_EQ(all.size(), 100'000U);
}

TEST(EndpointNames, AreDistinctLabels) {
  std::unordered_set<std::string_view> names;
  for (std::size_t i = 0; i < kEndpoints; ++i) names.insert(to_string(static_cast<Endpoint>(i)));
  EXPECT_EQ(names.size(), kEndpoints);
  EXPECT_EQ(to_string(Endpoint::kChat), "chat");
  EXPECT_EQ(to_string(Endpoint::kNone), "none");
}

TEST(Version, IsThreeNumbers) {
  const std::string text(version());
  EXPECT_EQ(text.find_first_not_of("0123456789."), std::string::npos) << text;
  EXPECT_EQ(std::ranges::count(text, '.'), 2);
}

}  // namespace
}  // namespace sluice
