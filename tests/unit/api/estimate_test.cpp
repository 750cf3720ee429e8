#include "sluice/api/estimate.hpp"

#include <gtest/gtest.h>

#include <random>

namespace sluice::api {
namespace {

std::int64_t plainly(std::string_view text) {
  std::int64_t ascii = 0;
  std::int64_t others = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    ascii += byte < 0x80 ? 1 : 0;
    others += byte >= 0xC0 ? 1 : 0;
  }
  return (ascii + 3) / 4 + others;
}

RequestView chat(const std::string& body) {
  auto view = parse_request(Endpoint::kChat, body);
  EXPECT_TRUE(view.has_value()) << body.substr(0, 200);
  return *view;
}
std::string asking(const std::string& content) {
  return R"({"model":"m","messages":[{"role":"user","content":)" + content + "}]}";
}

TEST(Estimate, CountsFourAsciiCharactersAndEachOtherOneAsAToken) {
  EXPECT_EQ(estimate_tokens(""), 0);
  EXPECT_EQ(estimate_tokens("abcd"), 1);
  EXPECT_EQ(estimate_tokens("abcde"), 2);
  EXPECT_EQ(estimate_tokens("北京"), 2);
  EXPECT_EQ(estimate_tokens("abcdefgh😀北ü"), 5);
}

TEST(Estimate, CountsEveryTextAsByteByByte) {
  constexpr std::string_view kPieces[] = {"a", "the quick brown fox", "ü", "北", "😀", " ", "\n", "0123456789abcdef"};
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    for (auto pieces = random() % 40; pieces > 0; --pieces) text += kPieces[random() % std::size(kPieces)];
    ASSERT_EQ(estimate_tokens(text), plainly(text)) << text;
  }
}

TEST(Estimate, AReservationIsNoLessThanTheEstimate) {
  for (const std::size_t size : {10U, 400U, 600U, 40'000U}) {
    const std::string body = asking('"' + std::string(size, 'x') + '"');
    const RequestView view = chat(body);
    const auto estimated = estimate_input_tokens(view);
    EXPECT_GE(reserve_input_tokens(view), estimated) << size;
    EXPECT_LE(reserve_input_tokens(view), estimated + 25) << size;
  }
}

TEST(Estimate, Base64DataIsNoText) {
  const std::string body = asking(R"([{"type":"image_url","image_url":{"url":"data:image/png;base64,)" +
                                  std::string(100'000, 'A') + R"("}}])");
  const RequestView view = chat(body);
  EXPECT_LT(reserve_input_tokens(view), 1100);
  EXPECT_GE(reserve_input_tokens(view), 1000);
}

// A picture counts the same wherever it lies, among however many words.
TEST(Estimate, APictureBehindAnAddressIsReservedToo) {
  const std::string body = asking(R"([{"type":"text","text":")" + std::string(2'000, 'x') +
                                  R"("},{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}])");
  const RequestView view = chat(body);
  EXPECT_EQ(reserve_input_tokens(view), estimate_input_tokens(view));
  EXPECT_GE(reserve_input_tokens(view), 1500);
}

}  // namespace
}  // namespace sluice::api
