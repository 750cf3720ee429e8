#include "support/canary.hpp"

#include <gtest/gtest.h>

namespace sluice::support {
namespace {

TEST(Leaks, FindsEveryMarkInEitherCaseAndSaysWhere) {
  for (const auto mark : kMarks) {
    const auto found = leaks({{"clean", "nothing"}, {"dirty", "before " + std::string(mark) + " after"}});
    ASSERT_EQ(found.size(), 1U) << mark;
    EXPECT_EQ(found[0], "dirty: before " + std::string(mark) + " after");
  }
  EXPECT_EQ(leaks({{"dirty", "x UPSTREAM-Secret y"}}).size(), 1U);
  EXPECT_EQ(leaks({{"both", "client-secret canary-prompt"}}).size(), 2U);
  EXPECT_TRUE(leaks({{"empty", ""}, {"near", "upstream secret"}}).empty());
}

TEST(SecretWatch, SeesASecretHoweverItIsCut) {
  for (const auto mark : {kKeyMark, kClientMark}) {
    const std::string text = "some bytes before " + std::string(mark) + " and some behind it";
    for (std::size_t size = 1; size <= text.size(); ++size) {
      SecretWatch watch;
      const std::size_t before = SecretWatch::seen();
      for (std::size_t at = 0; at < text.size(); at += size) watch.see(std::string_view(text).substr(at, size));
      EXPECT_GT(SecretWatch::seen(), before) << mark << " in pieces of " << size;
    }
  }
  SecretWatch watch;
  const std::size_t before = SecretWatch::seen();
  watch.see("canary-prompt and canary-answer are the client's own");
  EXPECT_EQ(SecretWatch::seen(), before);
}

}  // namespace
}  // namespace sluice::support
