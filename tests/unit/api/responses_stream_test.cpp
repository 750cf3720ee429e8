#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "sluice/api/answer.hpp"

namespace sluice::api {
namespace {

using Action = StreamState::Action;

constexpr std::string_view kCreated =
    R"({"type":"response.created","sequence_number":0,"response":{"id":"resp_1","model":"m","created_at":17,"status":"in_progress","error":null,"usage":null,"output":[]}})";
constexpr std::string_view kDelta = R"({"type":"response.output_text.delta","sequence_number":4,"delta":"a"})";

StreamState started() {
  StreamState state({Endpoint::kResponses, true});
  EXPECT_EQ(state.event("response.created", kCreated)->action, Action::kPass);
  EXPECT_EQ(state.event("response.output_text.delta", kDelta)->action, Action::kPass);
  return state;
}

TEST(ResponsesStream, ATerminalEventCompletesTheAnswer) {
  for (const std::string status : {"completed", "incomplete", "failed"}) {
    StreamState state = started();
    EXPECT_EQ(state.content_events(), 1U);
    const std::string last = R"({"type":"response.)" + status +
                             R"(","sequence_number":5,"response":{"id":"resp_1","status":")" + status +
                             R"(","error":{"code":"x","message":"y"},"usage":{"input_tokens":3,"output_tokens":4}}})";
    const auto verdict = state.event("response." + status, last);
    ASSERT_TRUE(verdict);
    EXPECT_EQ(verdict->action, Action::kPass);
    EXPECT_TRUE(verdict->complete);
    EXPECT_EQ(state.finish_reason(), status);
    EXPECT_EQ(state.usage().output, 4);
    EXPECT_EQ(state.event("", "[DONE]")->action, Action::kDrop);
    EXPECT_TRUE(state.end());
  }
}

TEST(ResponsesStream, NoTerminalEventIsNoSuccess) {
  StreamState state = started();
  EXPECT_EQ(state.event("", "[DONE]")->action, Action::kDrop);
  ASSERT_FALSE(state.end());
  EXPECT_EQ(state.end().error().kind, ErrorKind::kUpstreamTruncated);
}

TEST(ResponsesStream, TypeMayStandInTheDataOnly) {
  StreamState state({Endpoint::kResponses, false});
  EXPECT_TRUE(state.event("", R"({"type":"response.completed","response":{}})")->complete);
  EXPECT_EQ(state.finish_reason(), "completed");
  StreamState other({Endpoint::kResponses, false});
  EXPECT_TRUE(other.event("response.completed", R"({"response":{}})")->complete);
}

TEST(ResponsesStream, ErrorEventsAreErrors) {
  StreamState state({Endpoint::kResponses, false});
  const auto flat = state.event(
      "error", R"({"type":"error","code":"rate_limit_exceeded","message":"m","param":null,"sequence_number":0})");
  ASSERT_FALSE(flat);
  EXPECT_EQ(flat.error().http_status(), 429);
  EXPECT_EQ(flat.error().message, "m");
  EXPECT_EQ(state.event("", R"({"error":{"message":"w","code":400}})").error().message, "w");
  for (const std::string_view bad : {"{", "[]", "7", R"({"type":1,"type":2})"}) {
    EXPECT_EQ(state.event("x", bad).error().kind, ErrorKind::kUpstreamInvalidEvent) << bad;
  }
}

TEST(ResponsesStream, FailureRepeatsTheAnswersIdentity) {
  const StreamState state = started();
  const std::string frame = state.failure_event(fail(ErrorKind::kUpstreamIdleTimeout, "silence").error());
  const std::string_view head = "event: response.failed\ndata: ";
  ASSERT_TRUE(frame.starts_with(head));
  ASSERT_TRUE(frame.ends_with("\n\n"));
  const auto event = nlohmann::json::parse(frame.substr(head.size()));
  EXPECT_EQ(event["type"], "response.failed");
  EXPECT_EQ(event["sequence_number"], 5);
  const auto& response = event["response"];
  EXPECT_EQ(response["id"], "resp_1");
  EXPECT_EQ(response["model"], "m");
  EXPECT_EQ(response["created_at"], 17);
  EXPECT_EQ(response["status"], "failed");
  EXPECT_EQ(response["error"]["code"], "upstream_idle_timeout");
  EXPECT_EQ(response["error"]["message"], "silence");
  for (const char* key : {"object", "output", "incomplete_details", "instructions", "metadata", "parallel_tool_calls",
                          "temperature", "top_p", "tool_choice", "tools"}) {
    EXPECT_TRUE(response.contains(key)) << key;
  }
}

TEST(ResponsesStream, FailureBeforeAnyEventStillHasAnId) {
  const StreamState state({Endpoint::kResponses, false});
  const std::string frame = state.failure_event(fail(ErrorKind::kInternal, "x").error());
  const auto event = nlohmann::json::parse(frame.substr(frame.find("data: ") + 6));
  EXPECT_TRUE(event["response"]["id"].get<std::string>().starts_with("resp_"));
  EXPECT_EQ(event["sequence_number"], 0);
}

TEST(ResponsesStream, HostileSequenceNumbersDoNoHarm) {
  // One that cannot be read counts as the next; one that cannot be followed is ignored.
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"-1", "0,"}, {"9223372036854775807", "0,"}, {"1e300", "1,"}, {"\"x\"", "1,"}, {"null", "1,"}, {"1.5", "1,"}};
  for (const auto& [number, next] : cases) {
    StreamState state({Endpoint::kResponses, false});
    EXPECT_TRUE(state.event("", "{\"sequence_number\":" + std::string(number) + "}"));
    EXPECT_NE(state.failure_event(Error{}).find("\"sequence_number\":" + std::string(next)), std::string::npos)
        << number;
  }
}

}  // namespace
}  // namespace sluice::api
