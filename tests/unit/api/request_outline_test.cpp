// What a view keeps of the messages, beside their verdict.

#include <gtest/gtest.h>

#include "sluice/api/request_view.hpp"

namespace sluice::api {
namespace {

RequestView view_of(const std::string& body) {
  auto view = parse_request(Endpoint::kChat, body);
  EXPECT_TRUE(view.has_value()) << body;
  return view ? std::move(*view) : RequestView{};
}

TEST(RequestOutline, CountsMessagesAndKeepsWhatTheUserSaysFirstAndLast) {
  const std::string body =
      R"({"model":"m","messages":[{"role":"system","content":"s"},{"content":"a","role":"user"},)"
      R"({"role":"user","content":"b"},{"role":"assistant","content":"x"},{"role":"user","content":["c"]},{"role":"user"}]})";
  const RequestView view = view_of(body);
  EXPECT_EQ(view.messages, 6U);
  EXPECT_EQ(view.first_user.raw, "\"a\"");
  EXPECT_EQ(view.last_user.raw, "[\"c\"]");
}

TEST(RequestOutline, IsEmptyWhereNoUserSaysAnything) {
  const std::string body = R"({"model":"m","messages":[{"role":"assistant","content":"x"}]})";
  const RequestView view = view_of(body);
  EXPECT_EQ(view.messages, 1U);
  EXPECT_TRUE(view.first_user.raw.empty());
  EXPECT_TRUE(view.last_user.raw.empty());
}

}  // namespace
}  // namespace sluice::api
