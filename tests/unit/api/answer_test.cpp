#include "sluice/api/answer.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sluice::api {
namespace {

constexpr std::int64_t kMost = std::int64_t{1} << 53;

TEST(ReadUsage, ReadsTheShapesOfBothDialects) {
  const Usage chat = read_usage({R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,
      "prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":2},"completion_tokens_details":{"reasoning_tokens":3}})"});
  const Usage responses = read_usage({R"({"input_tokens":10,"output_tokens":5,"total_tokens":15,
      "input_tokens_details":{"cached_tokens":4,"cache_write_tokens":2},"output_tokens_details":{"reasoning_tokens":3}})"});
  for (const Usage& usage : {chat, responses}) {
    EXPECT_EQ(usage.input, 10);
    EXPECT_EQ(usage.output, 5);
    EXPECT_EQ(usage.cached, 4);
    EXPECT_EQ(usage.cache_write, 2);
    EXPECT_EQ(usage.reasoning, 3);
    EXPECT_EQ(usage.source, UsageSource::kReported);
    EXPECT_FALSE(usage.anomalous);
  }
  EXPECT_EQ(read_usage({R"({"prompt_tokens":10,"prompt_cache_hit_tokens":8,"prompt_cache_miss_tokens":2})"}).cached, 8);
  EXPECT_EQ(read_usage({R"({"total_tokens":7})"}).input, 7);
}

// F49, U45.
TEST(ReadUsage, ClampsAndFlagsNonsense) {
  const auto of = [](std::string_view value) {
    const std::string raw = "{\"prompt_tokens\":" + std::string(value) + "}";
    return read_usage({raw});
  };
  const std::tuple<std::string_view, std::int64_t, bool> cases[] = {{"0", 0, false},
                                                                    {"7.0", 7, false},
                                                                    {"-5", 0, true},
                                                                    {"9223372036854775808", kMost, true},
                                                                    {"1e300", kMost, true},
                                                                    {"1.5", 1, true},
                                                                    {"-1e300", 0, true},
                                                                    {"9007199254740992", kMost, false},
                                                                    {"9007199254740993", kMost, true}};
  for (const auto& [raw, input, anomalous] : cases) {
    EXPECT_EQ(of(raw).input, input) << raw;
    EXPECT_EQ(of(raw).anomalous, anomalous) << raw;
    EXPECT_EQ(of(raw).source, UsageSource::kReported) << raw;
  }
  for (const std::string_view raw : {"\"12\"", "true", "[]", "{}"}) {
    EXPECT_EQ(of(raw).input, 0);
    EXPECT_TRUE(of(raw).anomalous) << raw;
    EXPECT_EQ(of(raw).source, UsageSource::kNone) << raw;
  }
  EXPECT_FALSE(of("null").anomalous);
  for (const std::string_view raw : {"{}", "null", "[]", "5", ""})
    EXPECT_EQ(read_usage({raw}).source, UsageSource::kNone) << raw;
}

TEST(InspectAnswer, F77AReasonThatIsNotKnownIsOther) {
  EXPECT_EQ(inspect_answer(Endpoint::kChat, R"({"choices":[{"finish_reason":"canary"}]})")->finish_reason, "other");
  EXPECT_EQ(inspect_answer(Endpoint::kChat, R"({"choices":[{"finish_reason":null}]})")->finish_reason, "");
  EXPECT_EQ(inspect_answer(Endpoint::kResponses, R"({"status":"canary"})")->finish_reason, "other");
}

TEST(InspectAnswer, ReadsUsageAndFinishReason) {
  const auto chat = inspect_answer(
      Endpoint::kChat, R"( {"choices":[{"index":0,"finish_reason":"length"},{"index":1,"finish_reason":"stop"}],
      "usage":{"prompt_tokens":1,"completion_tokens":2},"error":null} )");
  ASSERT_TRUE(chat);
  EXPECT_EQ(chat->finish_reason, "length");
  EXPECT_EQ(chat->usage.output, 2);
  const auto responses =
      inspect_answer(Endpoint::kResponses, R"({"status":"incomplete","error":null,"usage":{"input_tokens":3}})");
  ASSERT_TRUE(responses);
  EXPECT_EQ(responses->finish_reason, "incomplete");
  EXPECT_EQ(responses->usage.input, 3);
  EXPECT_EQ(inspect_answer(Endpoint::kChat, R"({"choices":[],"x_groq":{"usage":{"prompt_tokens":9}}})")->usage.input,
            9);
  EXPECT_TRUE(inspect_answer(Endpoint::kEmbeddings, R"({"data":[]})"));
}

// J19.
TEST(InspectAnswer, RefusesWhatCannotBeRead) {
  for (const std::string_view body :
       {"", "<html>", "[]", "1", "null", "{", R"({"choices":null})", R"({})", R"({"choices":{}})", R"({"choices":[1]})",
        R"({"choices":[{"index":-1}]})", R"({"choices":[{"index":2147483648}]})", R"({"choices":[],"choices":[]})",
        "{\"choices\":[\"\xFF\"]}"}) {
    const auto answer = inspect_answer(Endpoint::kChat, body);
    ASSERT_FALSE(answer) << body;
    EXPECT_EQ(answer.error().kind, ErrorKind::kUpstreamInvalidResponse) << body;
  }
  const auto with_choices = [](int count) {
    std::string body = R"({"choices":[{})";
    for (int i = 1; i < count; ++i) body += ",{}";
    return inspect_answer(Endpoint::kChat, body + "]}").has_value();
  };
  EXPECT_TRUE(with_choices(128));
  EXPECT_FALSE(with_choices(129));
  EXPECT_FALSE(with_choices(1'000'000));
}

TEST(InspectAnswer, AnErrorInsideAGoodStatusIsAnError) {
  for (const std::string_view body :
       {R"({"error":{"message":"m","code":429}})", R"({"object":"error","message":"m","code":429})",
        R"({"choices":[{"error":{"message":"m","code":429},"finish_reason":"error"}]})"}) {
    const auto answer = inspect_answer(Endpoint::kChat, body);
    ASSERT_FALSE(answer) << body;
    EXPECT_EQ(answer.error().http_status(), 429);
    EXPECT_EQ(answer.error().message, "m");
  }
}

std::string converted(std::string_view body, Encoding wanted) {
  const auto out = convert_embeddings(body, wanted);
  if (!out) return "error";
  return *out ? **out : "unchanged";
}

TEST(ConvertEmbeddings, GoBothWaysByteForByteElsewhere) {
  const std::string floats =
      R"({ "object":"list","data":[{"index":0, "embedding":[1,-0.5,0.1] ,"x":1.0},{"embedding":[]}],"usage":{"prompt_tokens":1e0}} )";
  const std::string base64 =
      R"({ "object":"list","data":[{"index":0, "embedding":"AACAPwAAAL/NzMw9" ,"x":1.0},{"embedding":""}],"usage":{"prompt_tokens":1e0}} )";
  EXPECT_EQ(converted(floats, Encoding::kBase64), base64);
  EXPECT_EQ(converted(base64, Encoding::kFloat), floats);
  EXPECT_EQ(converted(base64, Encoding::kUnset), floats);
  EXPECT_EQ(converted(floats, Encoding::kFloat), "unchanged");
  EXPECT_EQ(converted(base64, Encoding::kBase64), "unchanged");
}

TEST(ConvertEmbeddings, FloatsRoundTrip) {
  const std::string body = R"({"data":[{"embedding":[3.4028235e+38,1e-45,-0,0.30000001,16777216,1e-400,123456.79]}]})";
  const std::string there = converted(body, Encoding::kBase64);
  const std::string back = converted(there, Encoding::kFloat);
  EXPECT_EQ(converted(back, Encoding::kBase64), there);
  EXPECT_TRUE(json::check(back));
}

TEST(ConvertEmbeddings, RefusesWhatIsNeither) {
  for (const std::string_view body : {R"({"data":[{"embedding":null}]})", R"({"data":[{}]})", R"({"data":[1]})",
                                      R"({"data":null})", "{}", R"({"data":[{"embedding":7}]})", ""}) {
    EXPECT_EQ(converted(body, Encoding::kFloat), "error") << body;
    EXPECT_EQ(converted(body, Encoding::kBase64), "error") << body;
  }
  for (const std::string_view bad : {"[\"1\"]", "[[1]]", "[null]", "[1e300]"}) {
    EXPECT_EQ(converted("{\"data\":[{\"embedding\":" + std::string(bad) + "}]}", Encoding::kBase64), "error") << bad;
  }
  for (const std::string_view bad : {"\"AAAA\"", "\"A\"", "\"!!!!\"", "\"AACAfw==\"", "\"AADAfw==\"", "\"AA=CAPw\""}) {
    EXPECT_EQ(converted("{\"data\":[{\"embedding\":" + std::string(bad) + "}]}", Encoding::kFloat), "error") << bad;
  }
}

}  // namespace
}  // namespace sluice::api
