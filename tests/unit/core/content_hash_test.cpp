#include "sluice/core/content_hash.hpp"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(ContentHash, IsTheFirstHalfOfAnHmac) {
  // RFC 4231, test case 2.
  const ContentHash hash{Secret("Jefe")};
  EXPECT_EQ(hash("what do ya want for nothing?"), "5bdcc146bf60754e6a042426089575c7");
}

TEST(ContentHash, DependsOnTheSecretAndOnNothingElse) {
  const ContentHash one{Secret("one")}, same{Secret("one")}, other{Secret("other")};
  EXPECT_EQ(one("text"), same("text"));
  EXPECT_NE(one("text"), one("texts"));
  EXPECT_NE(one("text"), other("text"));
}

TEST(ContentHash, WithoutASecretThisProcessHasOne) {
  const ContentHash one{Secret()}, same{Secret()};
  EXPECT_EQ(one("text"), same("text"));
  EXPECT_NE(one("text"), ContentHash{Secret("one")}("text"));
  EXPECT_EQ(one("").size(), 32U);
}

}  // namespace
}  // namespace sluice
