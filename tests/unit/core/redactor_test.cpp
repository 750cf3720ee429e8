#include "sluice/core/redactor.hpp"

#include <gtest/gtest.h>

namespace sluice {
namespace {

std::string struck(const Redactor& redactor, std::string text) {
  redactor.strike(text);
  return text;
}

TEST(Redactor, F50StrikesEveryPlaceWhereASecretStands) {
  Redactor redactor;
  redactor.add(Secret("sk-0123456789"));
  redactor.add(Secret("other-key-77"));
  EXPECT_EQ(struck(redactor, "bad key sk-0123456789, I said sk-0123456789!"), "bad key [redacted], I said [redacted]!");
  EXPECT_EQ(struck(redactor, "sk-0123456789other-key-77"), "[redacted][redacted]");
  EXPECT_EQ(struck(redactor, "nothing here"), "nothing here");
  EXPECT_TRUE(redactor.finds("x=other-key-77;"));
  EXPECT_FALSE(redactor.finds("sk-012345678"));
}

TEST(Redactor, F50KnowsTheKeyBehindAScheme) {
  Redactor redactor;
  redactor.add(Secret("Bearer sk-0123456789"));
  EXPECT_EQ(struck(redactor, "got sk-0123456789"), "got [redacted]");
  EXPECT_EQ(struck(redactor, "got Bearer sk-0123456789"), "got [redacted]");
  EXPECT_EQ(struck(redactor, "Bearer of news"), "Bearer of news");
}

TEST(Redactor, F50KnowsTheValuesOfAQuery) {
  Redactor redactor;
  redactor.add_query(Secret("a=1&key=AIza-0123456789&&flag-without-a-value"));
  EXPECT_EQ(struck(redactor, "AIza-0123456789 flag-without-a-value a=1"), "[redacted] [redacted] a=1");
}

TEST(Redactor, ASecretWithinASecretDoesNotSaveTheRest) {
  Redactor redactor;
  redactor.add(Secret("12345678"));
  redactor.add(Secret("key-12345678-tail"));
  EXPECT_EQ(struck(redactor, "key-12345678-tail 12345678"), "[redacted] [redacted]");
}

TEST(Redactor, LeavesPlaceholdersAlone) {
  Redactor redactor;
  for (const char* key : {"", "x", "none", "EMPTY", "1234567"}) redactor.add(Secret(key));
  EXPECT_EQ(struck(redactor, "none of EMPTY x 1234567"), "none of EMPTY x 1234567");
  EXPECT_FALSE(redactor.finds("none of EMPTY x 1234567"));
}

}  // namespace
}  // namespace sluice
