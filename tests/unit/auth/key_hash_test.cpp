// Keys and what is kept of them.

#include "sluice/auth/key_hash.hpp"

#include <gtest/gtest.h>

#include <set>

#include "sluice/config/key_hash.hpp"

namespace sluice::auth {
namespace {

const std::string kKey = "sk-sluice-Abcdefgh0123-" + std::string(43, 'x');

// HMAC-SHA-256 of kKey under the bytes 00 01 … 0f, computed with another implementation.
constexpr std::string_view kKnown =
    "sluice1:Abcdefgh0123:000102030405060708090a0b0c0d0e0f:"
    "bf317c18616d0c9e6a2ca7d8fb6bcc09f89a162e8fd65092f1392f5d85c3d12b";

TEST(KeyHash, IsHmacSha256OfTheWholeKey) {
  const auto hash = config::parse_key_hash(kKnown);
  ASSERT_TRUE(hash.has_value());
  EXPECT_TRUE(matches(*hash, kKey));
  EXPECT_EQ(config::to_text(*hash), kKnown);
}

TEST(KeyHash, NoOtherKeyMatches) {
  const auto hash = *config::parse_key_hash(kKnown);
  for (std::size_t i = 0; i < kKey.size(); ++i) {
    std::string other = kKey;
    other[i] = static_cast<char>(other[i] ^ 1);
    EXPECT_FALSE(matches(hash, other)) << i;
    EXPECT_FALSE(matches(hash, kKey.substr(0, i))) << i;
  }
  EXPECT_FALSE(matches(hash, kKey + "x"));
  EXPECT_FALSE(matches(hash, std::string(100'000, 'x')));
  EXPECT_FALSE(matches(config::KeyHash{}, ""));
}

TEST(KeyHash, TheSaltCounts) {
  auto hash = *config::parse_key_hash(kKnown);
  hash.salt[15] ^= 1;
  EXPECT_FALSE(matches(hash, kKey));
}

TEST(KeyHash, EveryHashOfAKeyHasASaltOfItsOwn) {
  const auto first = hash_of(kKey);
  const auto second = hash_of(kKey);
  EXPECT_EQ(first.id, "Abcdefgh0123");
  EXPECT_EQ(second.id, first.id);
  EXPECT_NE(first.salt, second.salt);
  EXPECT_NE(first.digest, second.digest);
  EXPECT_TRUE(matches(first, kKey));
  EXPECT_TRUE(matches(second, kKey));
}

TEST(NewKeys, HaveTheFormAndTheirHash) {
  for (int i = 0; i < 50; ++i) {
    const NewKey made = make_key();
    ASSERT_TRUE(is_key(made.key.reveal()));
    EXPECT_EQ(key_id(made.key.reveal()), made.hash.id);
    EXPECT_TRUE(matches(made.hash, made.key.reveal()));
    EXPECT_EQ(config::parse_key_hash(config::to_text(made.hash)), made.hash);
  }
}

TEST(NewKeys, AreAllDifferentAndUseEveryDigit) {
  std::set<std::string> ids;
  std::set<char> digits;
  for (int i = 0; i < 200; ++i) {
    const NewKey made = make_key();
    EXPECT_TRUE(ids.insert(made.hash.id).second);
    const auto secret = made.key.reveal().substr(23);
    digits.insert(secret.begin(), secret.end());
  }
  EXPECT_EQ(digits.size(), 62U) << "of 8600 random ones";
}

TEST(Keys, HaveOneFormAndNoOther) {
  EXPECT_TRUE(is_key(kKey));
  EXPECT_EQ(key_id(kKey), "Abcdefgh0123");
  const std::string bad[] = {"",
                             "sk-sluice-",
                             "sk-sluice-Abcdefgh0123-",
                             kKey + "x",
                             kKey.substr(0, kKey.size() - 1),
                             " " + kKey.substr(1),
                             "SK-sluice-Abcdefgh0123-" + std::string(43, 'x'),
                             "sk-sluice-Abcdefgh012-" + std::string(44, 'x'),
                             "sk-sluice-Abcdefgh01234" + std::string(43, 'x'),
                             "sk-sluice-Abcdefgh-123-" + std::string(43, 'x'),
                             "sk-sluice-Abcdefgh0123-" + std::string(42, 'x') + "-",
                             "sk-sluice-Abcdefgh0123-" + std::string(42, 'x') + "\n",
                             "sk-sluice-Abcdefgh0123-" + std::string(42, 'x') + '\0',
                             "sk-sluice-Abcdefgh0123-" + std::string(41, 'x') + "é"};
  for (const std::string& text : bad) {
    EXPECT_FALSE(is_key(text)) << text;
    EXPECT_EQ(key_id(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace sluice::auth
