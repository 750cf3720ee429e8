#include "api/json_hash.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sluice::json {
namespace {

// Of the reference implementation with 1 and 3 rounds, under a key of zeros.
TEST(KeyedHash, IsSipHash13) {
  const KeyedHash hash(0, 0);
  EXPECT_EQ(hash("a"), 0x407448d2b89b1813U);
  EXPECT_EQ(hash("model"), 0x39a8f6bed6e94390U);
  EXPECT_EQ(hash("12345678"), 0x3489982430560a87U);
  EXPECT_EQ(hash("messages[0].content"), 0xfb2bf3e3f520c926U);
  EXPECT_EQ(hash("0123456789abcdef0123456789abcdef"), 0x508d775b6fd5229bU);
}

TEST(KeyedHash, BothHalvesOfTheKeyMatter) {
  EXPECT_NE(KeyedHash(0, 1)("model"), KeyedHash(0, 0)("model"));
  EXPECT_NE(KeyedHash(1, 0)("model"), KeyedHash(0, 0)("model"));
}

TEST(KeyedHash, TheProcessHasAKeyOfItsOwn) {
  const KeyedHash& hash = KeyedHash::of_this_process();
  EXPECT_EQ(&hash, &KeyedHash::of_this_process());
  EXPECT_NE(hash("model"), KeyedHash(0, 0)("model"));
}

}  // namespace
}  // namespace sluice::json
