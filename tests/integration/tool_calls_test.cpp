// Calls of tools, told from the traffic alone: an answer asks, a later request brings the result.

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

const std::string kTools = R"("tools":[{"type":"function","function":{"name":"get_weather"}}])";

std::string call_text(const std::string& id, const std::string& name, const std::string& arguments) {
  return R"({"id":")" + id + R"(","type":"function","function":{"name":")" + name + R"(","arguments":)" +
         json(arguments).dump() + "}}";
}

// The conversation goes on: what was asked for, call by call, each with its result.
struct Past {
  std::string id, name, arguments, result;
};
std::string with_results(const std::vector<Past>& past) {
  std::string messages = R"({"role":"user","content":"weather?"})";
  for (const Past& one : past) {
    messages += R"(,{"role":"assistant","content":null,"tool_calls":[)" + call_text(one.id, one.name, one.arguments) +
                R"(]},{"role":"tool","tool_call_id":")" + one.id + R"(","content":)" + json(one.result).dump() + "}";
  }
  return R"({"model":"m","messages":[)" + messages + "]," + kTools + "}";
}

class ToolCalls : public GatewayTest {
 protected:
  std::string request_id(const Response& response) { return response.header("x-request-id"); }
};

TEST_F(ToolCalls, OneEventTellsNameArgumentsDurationAndSuccess) {
  upstream_.on(kChat).json(tool_call_answer("get_weather", R"({"city":"Paris"})"));
  start();
  const Response asked = ask(chat_body("m", kTools));
  const json message = json::parse(asked.body)["choices"][0]["message"];
  const std::string id = message["tool_calls"][0]["id"];
  const Response told = ask(with_results({{id, "get_weather", R"({ "city" : "Paris" })", "Sunny, 21 degrees"}}));
  const json event = gateway().events("tool_call", 1)[0];
  EXPECT_EQ(event["tool"], "get_weather");
  EXPECT_EQ(event["tool_call_id"], id);
  EXPECT_EQ(event["failed"], false);
  EXPECT_EQ(event["retries"], 0);
  EXPECT_EQ(event["asked_by"], request_id(asked));
  EXPECT_EQ(event["request_id"], request_id(told));
  EXPECT_EQ(event["route"], "m");
  EXPECT_EQ(event["arguments_hash"].get<std::string>().size(), 16U);
  EXPECT_GT(event["duration_us"], 0);
  EXPECT_LT(event["duration_us"], 10'000'000);
  EXPECT_EQ(gateway().metrics().sum("sluice_tool_calls_total", {R"(result="ok")"}), 1);
  EXPECT_EQ(gateway().metrics().sum("sluice_tool_call_duration_seconds_count"), 1);
}

TEST_F(ToolCalls, AStreamThatAsksIsReadInAnyPieces) {
  upstream_.on(kChat).stream(tool_call_stream()).byte_by_byte();
  start();
  const Response asked = ask(stream_body("m", kTools));
  std::string id, name, arguments;
  for (const std::string& data : data_of(asked)) {
    if (data == kDone) continue;
    for (const json& call : json::parse(data)["choices"][0]["delta"].value("tool_calls", json::array())) {
      if (call.contains("id")) id = call["id"];
      name += call["function"].value("name", "");
      arguments += call["function"].value("arguments", "");
    }
  }
  ASSERT_NE(id, "");
  upstream_.forget_script();
  upstream_.on(kChat).json(chat_answer());
  ask(with_results({{id, name, arguments, "fine"}}));
  const json event = gateway().events("tool_call", 1)[0];
  EXPECT_EQ(event["tool"], name);
  EXPECT_EQ(event["asked_by"], request_id(asked));
  EXPECT_TRUE(event.contains("duration_us"));
}

TEST_F(ToolCalls, WhatIsRepeatedIsToldOnce) {
  upstream_.on(kChat).json(chat_answer());
  start();
  const Past first{"call_1", "get_weather", "{}", "ok"};
  ask(with_results({first}));
  ask(with_results({first, {"call_2", "get_weather", R"({"a":1})", "ok"}}));
  ask(with_results({first, {"call_2", "get_weather", R"({"a":1})", "ok"}}));
  ask(chat_body());
  ASSERT_EQ(gateway().trace(4).size(), 4U);
  const auto events = gateway().events("tool_call", 2);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0]["tool_call_id"], "call_1");
  EXPECT_EQ(events[1]["tool_call_id"], "call_2");
  EXPECT_FALSE(events[0].contains("duration_us")) << "nobody saw who asked";
}

TEST_F(ToolCalls, FailuresAndRetriesAreSeen) {
  upstream_.on(kChat).json(chat_answer());
  start();
  const Past first{"c1", "get_weather", R"({"city":"Oslo"})", "Error: no such city"};
  const Past second{"c2", "get_weather", R"({"city":"Oslo"})", R"({"error":{"code":7}})"};
  const Past third{"c3", "get_weather", R"({"city":"Oslo"})", R"({"error":null,"degrees":3})"};
  ask(with_results({first}));
  ask(with_results({first, second}));
  ask(with_results({first, second, third}));
  const auto events = gateway().events("tool_call", 3);
  EXPECT_EQ(events[0]["failed"], true);
  EXPECT_EQ(events[1]["failed"], true);
  EXPECT_EQ(events[2]["failed"], false);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(events[i]["retries"], i);
  EXPECT_EQ(events[0]["arguments_hash"], events[2]["arguments_hash"]);
  const auto metrics = gateway().metrics();
  EXPECT_EQ(metrics.sum("sluice_tool_calls_total", {R"(result="failed")"}), 2);
  EXPECT_EQ(metrics.sum("sluice_tool_call_retries_total"), 2);
}

TEST_F(ToolCalls, SeveralAtOnce) {
  upstream_.on(kChat).json(chat_answer());
  start();
  const std::string body =
      R"({"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[)" +
      call_text("a", "one", "{}") + "," + call_text("b", "two", "not json") +
      R"(]},{"role":"tool","tool_call_id":"b","content":[{"type":"text","text":"failed to open"}]},)" +
      R"({"role":"tool","tool_call_id":"a","content":"1"}],)" + kTools + "}";
  EXPECT_EQ(ask(body).status, 200);
  const auto events = gateway().events("tool_call", 2);
  EXPECT_EQ(events[0]["tool"], "two");
  EXPECT_EQ(events[0]["failed"], true);
  EXPECT_EQ(events[1]["tool"], "one");
}

TEST_F(ToolCalls, OfTheResponsesApi) {
  const std::string item =
      R"({"type":"function_call","id":"fc_1","call_id":"call_9","name":"lookup","arguments":"{\"k\":1}","status":"completed"})";
  upstream_.on("/v1/responses")
      .json(R"({"id":"resp_1","object":"response","status":"completed","model":"x","output":[)" + item +
            R"(],"usage":{"input_tokens":3,"output_tokens":4,"total_tokens":7}})");
  start();
  const std::string tools = R"("tools":[{"type":"function","name":"lookup","parameters":{}}])";
  const auto send = [&](const std::string& body) {
    return fetch(gateway().port(), post_request("/v1/responses", body));
  };
  const Response asked = send(R"({"model":"m","input":"hi",)" + tools + "}");
  EXPECT_EQ(asked.status, 200);
  // With previous_response_id the call itself is not repeated: what was asked is remembered.
  send(R"({"model":"m","previous_response_id":"resp_1","input":[{"type":"function_call_output","call_id":"call_9",)"
       R"("output":"{\"status\":\"error\"}"}],)" +
       tools + "}");
  const json event = gateway().events("tool_call", 1)[0];
  EXPECT_EQ(event["tool"], "lookup");
  EXPECT_EQ(event["asked_by"], request_id(asked));
  EXPECT_EQ(event["failed"], true);
  EXPECT_EQ(event["arguments_hash"].get<std::string>().size(), 16U);
}

TEST_F(ToolCalls, ArgumentsAndResultsAreInNoLine) {
  upstream_.on(kChat).json(chat_answer());
  start();
  ask(with_results({{"c1", "get_weather", R"({"secret":"tulip-argument"})", "tulip-result"}}));
  const json event = gateway().events("tool_call", 1)[0];
  EXPECT_EQ(event.dump().find("tulip"), std::string::npos);
  EXPECT_EQ(gateway().trace(1)[0].dump().find("tulip"), std::string::npos);
}

TEST_F(ToolCalls, AreBounded) {
  upstream_.on(kChat).json(chat_answer());
  start({.more = "guard: {most_tool_calls: 64}\n"});
  for (int i = 0; i < 40; ++i) {
    std::vector<Past> past;
    for (int j = 0; j < 1; ++j) past.push_back({"c" + std::to_string(100 * i + j), "t", "{}", "ok"});
    EXPECT_EQ(ask(with_results(past)).status, 200);
  }
  EXPECT_LE(gateway().metrics().sum("sluice_tool_calls_remembered"), 64);
}

TEST_F(ToolCalls, TheEndUserIsNamed) {
  upstream_.on(kChat).json(chat_answer());
  start({.more = "auth: {user_headers: [x-end-user]}\n"});
  ask(chat_body("m", R"("user":"body-user")"));
  ask(chat_body("m", R"("user":"body-user")"), "x-end-user: head-user\r\n");
  ask(chat_body());
  const auto lines = gateway().trace(3);
  EXPECT_EQ(lines[0]["user"], "body-user");
  EXPECT_EQ(lines[1]["user"], "head-user");
  EXPECT_FALSE(lines[2].contains("user"));
}

TEST_F(ToolCalls, OrHashedOrNot) {
  upstream_.on(kChat).json(chat_answer());
  start({.trace = "path: {DIR}/trace.jsonl, users: hash"});
  for (const char* user : {"ann", "ann", "bob"}) ask(chat_body("m", R"("user":")" + std::string(user) + "\""));
  const auto lines = gateway().trace(3);
  EXPECT_EQ(lines[0]["user"].get<std::string>().size(), 32U);
  EXPECT_EQ(lines[0]["user"], lines[1]["user"]);
  EXPECT_NE(lines[0]["user"], lines[2]["user"]);
}

class FeedbackTest : public GatewayTest {
 protected:
  Response tell(const std::string& body, const std::string& head = "") {
    return fetch(gateway().port(), post_request("/v1/feedback", body, head));
  }
};

TEST_F(FeedbackTest, IsAnEventOfItsOwn) {
  start();
  const Response response =
      tell(R"({"request_id":"req_1","value":-1,"name":"thumbs","run_id":"r-1","comment":"tulip"})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(json::parse(response.body)["object"], "feedback");
  const json event = gateway().events("feedback", 1)[0];
  EXPECT_EQ(event["of"], "req_1");
  EXPECT_EQ(event["name"], "thumbs");
  EXPECT_EQ(event["value"], -1);
  EXPECT_EQ(event["run_id"], "r-1");
  EXPECT_FALSE(event.contains("comment")) << "content is kept where it is asked for only";
  EXPECT_EQ(gateway().trace(1)[0]["endpoint"], "feedback");
  EXPECT_EQ(gateway().metrics().sum("sluice_feedback_total"), 1);
}

TEST_F(FeedbackTest, CommentsAreKeptWhereContentIs) {
  start({.trace = "path: {DIR}/trace.jsonl, content: redacted"});
  tell(R"({"request_id":"req_1","value":1,"comment":"ask bob@example.org"})");
  EXPECT_EQ(gateway().events("feedback", 1)[0]["comment"], "ask [redacted:email]");
}

TEST_F(FeedbackTest, MustSayWhatItIsAboutAndHowMuch) {
  start();
  EXPECT_TRUE(is_error(tell(R"({"value":1})"), 400, "missing_required_parameter"));
  EXPECT_TRUE(is_error(tell(R"({"request_id":"req_1"})"), 400, "missing_required_parameter"));
  EXPECT_TRUE(is_error(tell(R"({"request_id":"req_1","value":"good"})"), 400, "invalid_value"));
  EXPECT_TRUE(is_error(tell(R"({"request_id":7,"value":1})"), 400, "invalid_value"));
  EXPECT_EQ(get("/v1/feedback").status, 405);
  EXPECT_EQ(gateway().events("feedback").size(), 0U);
}

}  // namespace
}  // namespace sluice::integration
