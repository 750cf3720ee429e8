#include "sluice/api/errors.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace sluice::api {
namespace {

TEST(ErrorBody, OpenaiAlwaysHasAllFourMembers) {
  const Error error = fail_param(ErrorKind::kInvalidValue, "n", "bad \"n\"\n").error();
  EXPECT_EQ(error_body(error, Dialect::kOpenai, "req_1"),
            R"({"error":{"message":"bad \"n\"\n","type":"invalid_request_error","param":"n","code":"invalid_value"}})");
  const Error plain = fail(ErrorKind::kOverloaded, "busy").error();
  EXPECT_EQ(
      error_body(plain, Dialect::kOpenai, ""),
      R"({"error":{"message":"busy","type":"service_unavailable_error","param":null,"code":"server_is_overloaded"}})");
}

TEST(ErrorBody, AnthropicTypesFollowTheStatus) {
  const std::pair<int, std::string_view> cases[] = {{400, "invalid_request_error"},
                                                    {401, "authentication_error"},
                                                    {402, "billing_error"},
                                                    {403, "permission_error"},
                                                    {404, "not_found_error"},
                                                    {405, "invalid_request_error"},
                                                    {408, "timeout_error"},
                                                    {409, "conflict_error"},
                                                    {413, "request_too_large"},
                                                    {422, "invalid_request_error"},
                                                    {429, "rate_limit_error"},
                                                    {500, "api_error"},
                                                    {502, "api_error"},
                                                    {503, "overloaded_error"},
                                                    {504, "timeout_error"},
                                                    {529, "overloaded_error"}};
  for (const auto& [status, type] : cases) {
    Error error = fail(ErrorKind::kUpstreamStatus, "m").error();
    error.status = status;
    EXPECT_EQ(error_body(error, Dialect::kAnthropic, "req_1"),
              R"({"type":"error","error":{"type":")" + std::string(type) + R"(","message":"m"},"request_id":"req_1"})");
  }
}

TEST(ErrorEvent, IsOneFrame) {
  const std::string frame = error_event(fail(ErrorKind::kUpstreamTruncated, "a\n\ndata: b").error());
  EXPECT_TRUE(frame.starts_with("data: {\"error\":{"));
  EXPECT_EQ(frame.find('\n'), frame.size() - 2);
}

// The shapes of error bodies in the wild.
TEST(UpstreamError, FindsTheMessageInEveryKnownShape) {
  struct Case {
    std::string_view body, message, type, param, code;
  };
  const Case cases[] = {
      {R"({"error":{"message":"m","type":"t","param":"p","code":"c"}})", "m", "t", "p", "c"},
      {R"({"error":{"message":"m","type":null,"param":null,"code":400}})", "m", "invalid_request_error", "", "400"},
      {R"({"error":"text","code":"c"})", "text", "invalid_request_error", "", "c"},
      {R"({"type":"error","error":{"type":"invalid_request_error","message":"m"}})", "m", "invalid_request_error", "",
       ""},
      {R"([{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT"}}])", "m", "INVALID_ARGUMENT", "", "400"},
      {R"({"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT"}})", "m", "INVALID_ARGUMENT", "", "400"},
      {R"({"object":"error","message":"m","type":"BadRequestError","param":null,"code":40301})", "m", "BadRequestError",
       "", "40301"},
      {R"({"detail":"m"})", "m", "invalid_request_error", "", ""},
      {R"({"detail":[{"loc":["body","messages",0],"msg":"m","type":"t"}]})", "body.messages.0: m",
       "invalid_request_error", "", ""},
      {R"({"message":"m","__type":"ValidationException"})", "m", "ValidationException", "", ""},
      {R"({"errors":[{"code":7003,"message":"m"}],"success":false})", "m", "invalid_request_error", "", "7003"},
      {R"({"errors":["m"]})", "m", "invalid_request_error", "", ""},
  };
  for (const Case& one : cases) {
    const Error error = upstream_error(400, one.body);
    EXPECT_EQ(error.kind, ErrorKind::kUpstreamStatus);
    EXPECT_EQ(error.http_status(), 400);
    EXPECT_EQ(error.message, one.message) << one.body;
    EXPECT_EQ(error.type, one.type) << one.body;
    EXPECT_EQ(error.param, one.param) << one.body;
    EXPECT_EQ(error.code, one.code) << one.body;
  }
}

// F36, U38, U39.
TEST(UpstreamError, NeverEchoesWhatIsNotAnErrorObject) {
  for (const std::string_view body :
       {"", "<html><h1>secret</h1>", "secret", "{\"error\":{\"message\":\"secret\"", "[]", "[1]", "1", "null", "{}",
        "{\"error\":null}", "{\"error\":{}}", "{\"detail\":[]}", "{\"errors\":[]}", "{\"message\":7}",
        "{\"error\":{\"message\":\"secret\xFF\"}}"}) {
    const Error error = upstream_error(500, body);
    EXPECT_EQ(error.message, "The upstream answered with status 500.") << body;
    EXPECT_EQ(error.http_status(), 502);
  }
}

// F38, F39.
TEST(UpstreamError, StatusesBecomeTheClients) {
  const std::pair<int, int> cases[] = {{400, 400}, {404, 404}, {408, 408}, {409, 409}, {413, 413}, {422, 422},
                                       {429, 429}, {418, 418}, {500, 502}, {501, 502}, {502, 502}, {503, 503},
                                       {504, 504}, {520, 502}, {529, 503}, {599, 502}};
  for (const auto& [upstream, client] : cases) {
    const Error error = upstream_error(upstream, R"({"error":{"message":"m"}})");
    EXPECT_EQ(error.http_status(), client) << upstream;
    EXPECT_EQ(error.message, "m");
    const bool passing = upstream == 408 || upstream == 409 || upstream == 429 || upstream >= 500;
    EXPECT_EQ(should_retry(error), passing) << upstream;
    EXPECT_EQ(may_fall_back(error), passing) << upstream;
  }
  for (const int status : {100, 204, 301, 302, 307, 399}) {
    EXPECT_EQ(upstream_error(status, "{}").kind, ErrorKind::kUpstreamInvalidResponse) << status;
  }
}

TEST(UpstreamError, CredentialTroubleShowsNothingOfTheUpstreamsText) {
  for (const int status : {401, 402, 403}) {
    const Error error =
        upstream_error(status, R"({"error":{"message":"bad key sk-canary","code":"sk-canary","type":"sk-canary"}})");
    EXPECT_EQ(error.kind, ErrorKind::kUpstreamAuth);
    EXPECT_EQ(error.http_status(), 502);
    EXPECT_FALSE(should_retry(error));
    EXPECT_TRUE(may_fall_back(error));
    EXPECT_EQ((error.message + error.detail + error.type + error.code).find("canary"), std::string::npos);
    EXPECT_EQ(error_body(error, Dialect::kOpenai, "").find("canary"), std::string::npos);
  }
}

// F77: the detail is for the log, where a code that quotes the prompt must not go.
TEST(UpstreamError, F77TheDetailHoldsTheStatusAndWellKnownNamesOnly) {
  const auto detail_of = [](int status, std::string_view code, std::string_view type) {
    return upstream_error(status, R"({"error":{"message":"canary","code":")" + std::string(code) + R"(","type":")" +
                                      std::string(type) + "\"}}")
        .detail;
  };
  EXPECT_EQ(detail_of(429, "insufficient_quota", "canary"), "upstream status 429, insufficient_quota");
  EXPECT_EQ(detail_of(500, "canary", "overloaded_error"), "upstream status 500, overloaded_error");
  EXPECT_EQ(detail_of(401, "invalid_api_key", "canary"), "upstream status 401, invalid_api_key");
  EXPECT_EQ(detail_of(400, "canary", "canary"), "upstream status 400");
}

TEST(UpstreamError, LongMessagesAreCut) {
  const Error error = upstream_error(400, "{\"error\":{\"message\":\"" + std::string(4095, 'x') + "北京\"}}");
  EXPECT_EQ(error.message, std::string(4095, 'x') + "…");
  EXPECT_TRUE(nlohmann::json::accept(error_body(error, Dialect::kOpenai, "")));
}

// U34: the first event of a 200 says which status it should have been.
TEST(UpstreamErrorObject, StatusComesFromCodeOrType) {
  const std::pair<std::string_view, int> cases[] = {
      {R"({"message":"m","code":529})", 503},
      {R"({"message":"m","code":"429"})", 429},
      {R"({"message":"m","code":400})", 400},
      {R"({"message":"m","code":500})", 502},
      {R"({"message":"m","type":"overloaded_error"})", 503},
      {R"({"message":"m","type":"rate_limit_error"})", 429},
      {R"({"message":"m","type":"invalid_request_error"})", 400},
      {R"({"message":"m","type":"invalid_request_error","code":"rate_limit_exceeded"})", 429},
      {R"({"message":"m"})", 502},
      {R"({"message":"m","code":"context_length_exceeded"})", 400},
      {R"({"message":"m","code":1})", 502},
      {R"({"message":"m","code":"what"})", 502},
      {"\"text\"", 502},
      {"true", 502},
      {"[1]", 502},
      {R"({"code":200})", 502}};
  for (const auto& [raw, status] : cases) EXPECT_EQ(upstream_error_object({raw}).http_status(), status) << raw;
  EXPECT_EQ(upstream_error_object({"\"text\""}).message, "text");
  EXPECT_EQ(upstream_error_object({R"({"type":"error","error":{"message":"m"}})"}).message, "m");
  EXPECT_EQ(upstream_error_object({R"({"code":401,"message":"sk-canary"})"}).kind, ErrorKind::kUpstreamAuth);
}

TEST(IsTruthy, OnlySomethingIsAnError) {
  for (const std::string_view raw : {"", "null", "false", "\"\"", "{}", "{ }"}) EXPECT_FALSE(is_truthy({raw})) << raw;
  for (const std::string_view raw : {"true", "\"x\"", "{\"a\":null}", "1"}) EXPECT_TRUE(is_truthy({raw})) << raw;
}

}  // namespace
}  // namespace sluice::api
