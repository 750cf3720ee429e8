// F77, F17: what people ask and what they are answered is in no sink, however a request ends. The search itself is in
// the fixture's TearDown; here are the requests that would give most away.

#include <atomic>
#include <csignal>

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

// A mark in every place where a chat request can hold somebody's words; `user` and ids
// of calls name somebody or something, and are in the trace.
std::string marked_body(const std::string& model, bool stream) {
  const std::string mark(kPromptMark);
  json body = {{"model", model}, {"stream", stream}, {"user", "user-1"}, {"stop", mark}, {"metadata", {{mark, mark}}}};
  body["messages"] = {{{"role", "system"}, {"content", mark}},
                      {{"role", "user"},
                       {"content",
                        {{{"type", "text"}, {"text", mark}},
                         {{"type", "image_url"}, {"image_url", {{"url", "data:image/png;base64," + mark}}}}}}},
                      {{"role", "assistant"},
                       {"content", nullptr},
                       {"tool_calls",
                        {{{"id", "call_1"},
                          {"type", "function"},
                          {"function", {{"name", "f"}, {"arguments", "{\"x\":\"" + mark + "\"}"}}}}}}},
                      {{"role", "tool"}, {"tool_call_id", "call_1"}, {"content", mark}}};
  body["tools"] = {{{"type", "function"}, {"function", {{"name", "f"}, {"description", mark}}}}};
  return body.dump();
}

class PromptCanary : public GatewayTest {
 protected:
  std::map<std::string, int> outcomes(std::size_t lines) {
    std::map<std::string, int> counted;
    for (const json& line : gateway().trace(lines, 15s)) ++counted[line.value("outcome", "none")];
    return counted;
  }
  Response ask_marked(const std::string& model, bool stream) { return ask(marked_body(model, stream)); }
};

TEST_F(PromptCanary, F77NoOutcomeLeavesAPromptOrAnAnswerBehind) {
  const std::string answer = "the " + std::string(kAnswerMark);
  const auto hang_up = [](RawClient& raw) { raw.close(); };
  for (const std::string kind : {"plain", "stream"}) {
    const bool stream = kind == "stream";
    auto& good = upstream_.on_model("any-ok-" + kind);
    stream ? good.stream(chat_stream_with_usage({answer})) : good.json(tool_call_answer("f", answer));
    auto& cut = upstream_.on_model("any-cut-" + kind);
    stream ? cut.stream({role_chunk(), text_chunk(answer)}).without_last_chunk()
           : cut.json(chat_answer(answer)).then_fin_at(300);
    upstream_.on_model("any-error-" + kind).status(500).json(error_answer(answer, answer, answer));
    upstream_.on_model("any-slow-" + kind).hang();
    upstream_.on_model("any-left-" + kind).hang();
    upstream_.on_model("any-drained-" + kind).hang();
  }
  upstream_.on_model("any-flood").stream({role_chunk()}).repeat_forever("data: " + text_chunk(answer) + "\n\n");
  start({.server = "drain_grace: 0s, drain_timeout: 100ms",
         .timeouts = "first_byte: 400ms, first_token: 400ms",
         .limits = "write_timeout: 400ms",
         .models = R"("any-drained-*": {target: up/*, timeouts: {first_byte: 1m, first_token: 1m}}, "any-*": "up/*")"});
  for (const std::string kind : {"plain", "stream"}) {
    const bool stream = kind == "stream";
    EXPECT_NE(ask_marked("any-ok-" + kind, stream).body.find(kAnswerMark), std::string::npos);
    ask_marked("any-cut-" + kind, stream);
    EXPECT_EQ(ask_marked("any-error-" + kind, stream).status, 502);
    EXPECT_EQ(ask_marked("any-slow-" + kind, stream).status, 504);
    EXPECT_EQ(ask_marked("unknown", stream).status, 404);
    const std::size_t asked = upstream_.requests().size();
    RawClient left = client();
    left.send(post_request(kChat, marked_body("any-left-" + kind, stream)));
    ASSERT_TRUE(upstream_.wait_for_requests(asked + 1));
    hang_up(left);
  }
  RawClient stalled = client(4096);
  stalled.send(post_request(kChat, marked_body("any-flood", true)));
  const std::map<std::string, int> before = {
      {"ok", 2},       {"upstream_truncated", 2}, {"upstream_error", 2}, {"timeout", 2},
      {"rejected", 2}, {"client_abort", 2},       {"client_stalled", 1}};
  EXPECT_EQ(outcomes(13), before);
  const std::size_t asked = upstream_.requests().size();
  RawClient plain = client();
  RawClient stream = client();
  plain.send(post_request(kChat, marked_body("any-drained-plain", false)));
  stream.send(post_request(kChat, marked_body("any-drained-stream", true)));
  ASSERT_TRUE(upstream_.wait_for_requests(asked + 2));
  gateway().signal(SIGTERM);
  EXPECT_EQ(gateway().wait_exit(), 0);
  EXPECT_EQ(outcomes(15)["shed"], 2);
}

TEST_F(PromptCanary, F77NorDoesAnyEndpoint) {
  const std::string mark(kPromptMark);
  const std::pair<const char*, std::string> requests[] = {
      {"/v1/completions", R"({"model":"m","prompt":")" + mark + R"(","suffix":")" + mark + "\"}"},
      {"/v1/embeddings", R"({"model":"m","input":[")" + mark + R"(",")" + mark + "\"]}"},
      {"/v1/responses", R"({"model":"m","instructions":")" + mark + R"(","input":")" + mark + "\"}"},
      {"/v1/moderations", R"({"model":"m","input":")" + mark + "\"}"}};
  upstream_.on("/v1/completions").json(completion_answer(std::string(kAnswerMark)));
  upstream_.on("/v1/embeddings").json(embeddings_answer(false, 2));
  upstream_.on("/v1/responses").json(responses_answer(kAnswerMark));
  upstream_.on("/v1/moderations").json(moderation_answer());
  start();
  for (const auto& [path, body] : requests) {
    EXPECT_EQ(fetch(gateway().port(), post_request(path, body)).status, 200) << path;
  }
  upstream_.forget_script();
  upstream_.on_any().status(400).json(error_answer(mark, mark, mark));
  for (const auto& [path, body] : requests) {
    EXPECT_EQ(fetch(gateway().port(), post_request(path, body)).status, 400) << path;
  }
  EXPECT_EQ(gateway().trace(8).size(), 8U);
}

// The client may be told what was wrong with its own words; the log and the trace may not.
TEST_F(PromptCanary, F77NorDoesARequestThatIsRefused) {
  const std::string mark(kPromptMark);
  const std::string in_quotes = "\"" + mark + "\"";
  const std::string good = R"("messages":[{"role":"user","content":"x"}])";
  const std::vector<std::string> bodies = {
      mark,
      "{" + in_quotes,
      "{" + in_quotes + ":" + mark + "}",
      "{" + in_quotes + ":1," + in_quotes + ":2}",
      "{\"model\":\"m\"," + good + ",\"x\":\"" + mark + "\xff\"}",
      "{\"model\":\"m\"," + good + ",\"x\":\"" + mark + "\\ud800\"}",
      "{\"model\":\"m\"," + good + "}" + mark,
      "{\"model\":\"m\"," + good + ",\"api_base\":" + in_quotes + "}",
      "{\"model\":\"m\"," + good + ",\"temperature\":" + in_quotes + "}",
      "{\"model\":\"m\"," + good + ",\"max_tokens\":" + in_quotes + "}",
      "{\"model\":\"m\"," + good + ",\"stream\":" + in_quotes + "}",
      "{\"model\":\"m\"," + good + ",\"stop\":[1," + in_quotes + "]}",
      "{\"model\":\"m\",\"messages\":" + in_quotes + "}",
      "{\"model\":\"m\",\"messages\":[" + in_quotes + "]}",
      "{\"model\":\"m\",\"messages\":[{\"role\":" + in_quotes + ",\"content\":\"x\"}]}",
      "{\"model\":[" + in_quotes + "]," + good + "}",
      "{\"messages\":[{\"role\":\"user\",\"content\":" + in_quotes + "}]}"};
  start();
  for (const auto& body : bodies) {
    const int status = ask(body).status;
    EXPECT_TRUE(status == 400 || status == 404) << status << " " << body;
  }
  const std::vector<std::string> heads = {"content-type: text/" + mark + "\r\n", "content-encoding: " + mark + "\r\n",
                                          "expect: " + mark + "\r\n"};
  for (const auto& head : heads) EXPECT_GE(ask(chat_body(), head).status, 400) << head;
  EXPECT_EQ(get("/v1/" + mark).status, 404);
  EXPECT_EQ(get("/v1/models?" + mark).status, 200);
  for (const std::string& raw : {mark + " /v1/models HTTP/1.1\r\nhost: a\r\n\r\n",
                                 "GET /v1/models HTTP/1.1\r\nhost: a\r\nx y: " + mark + "\r\n\r\n"}) {
    EXPECT_GE(fetch(gateway().port(), raw).status, 400);
  }
  EXPECT_GE(gateway().trace(bodies.size()).size(), bodies.size());
  EXPECT_EQ(upstream_.bytes_in(), 0U);
}

TEST_F(PromptCanary, F77WhatAnUpstreamSaysInFreeWordsIsNotRecorded) {
  const std::string words = "the " + std::string(kAnswerMark);
  const std::vector<std::string> fields = {"x-request-id", "openai-version", "openai-processing-ms", "x-models-etag"};
  std::vector<Behaviour> all;
  for (const int status : {400, 401, 404, 429, 500}) {
    all.push_back(Behaviour().status(status, words).json(error_answer(words, words, words)));
  }
  all.push_back(Behaviour().stream({role_chunk(), finish_chunk(words), kDone}));
  all.push_back(Behaviour().stream({error_answer(words, words, words)}));
  all.push_back(Behaviour().stream({role_chunk(), text_chunk(words), error_answer(words, words, words)}));
  all.push_back(Behaviour().stream({role_chunk(), words}));
  all.push_back(Behaviour().status(301, words).header("location", words));
  all.push_back(Behaviour().header("content-encoding", words).stream({role_chunk()}));
  all.push_back(Behaviour().header("retry-after", words).status(429).json("{}"));
  all.push_back(Behaviour().raw("HTTP/1.1 2x0 " + words + "\r\n\r\n"));
  for (Behaviour& one : all) {
    for (const auto& field : fields) one.header(field, words);
  }
  std::atomic<std::size_t> turn = 0;
  upstream_.set_script([&](const ObservedRequest&) { return std::optional(all[turn++ % all.size()]); });
  start();
  for (std::size_t i = 0; i < all.size(); ++i) ask(stream_body());
  EXPECT_EQ(gateway().trace(all.size()).size(), all.size());
}

// A name is recorded, since operators need it, but not more of it than a name is long.
TEST_F(PromptCanary, F77F16ALongModelNameIsCutOnTheRecord) {
  start();
  EXPECT_EQ(ask(chat_body(std::string(60, 'x') + std::string(kPromptMark))).status, 404);
  EXPECT_EQ(get("/v1/models/" + std::string(60, 'x') + std::string(kPromptMark)).status, 404);
  for (const json& line : gateway().trace(2)) {
    EXPECT_LE(line.value("model", "").size(), 64U + 3U) << line;
  }
}

TEST_F(PromptCanary, F17HostileTextIsNeitherAHeaderNorALineOfItsOwn) {
  upstream_.on_any().json(chat_answer());
  start({.provider = "paths: {chat: \"/{model}/chat\"}"});
  const std::vector<std::string> texts = {
      "a\r\nx-evil: 1",       "a\n{\"outcome\":\"ok\"}", "\x1b[2J", "a\"b\\", "%s%n", "${jndi:ldap://x}",
      std::string("a\0b", 3), "\xc2\x85\xe2\x80\xa8"};
  for (const auto& text : texts) {
    json body = json::parse(chat_body("any-" + text));
    body["user"] = text;
    body["metadata"] = {{"k", text}};
    const int status = ask(body.dump()).status;
    EXPECT_TRUE(status == 200 || status == 400 || status == 404) << text << " " << status;
  }
  for (const char* id : {"a\"b", "{}", "a b", "%s", "\\"}) {
    EXPECT_EQ(ask(chat_body("any-x"), "x-client-request-id: " + std::string(id) + "\r\n").status, 200);
  }
  const std::size_t asked = texts.size() + 5;
  EXPECT_EQ(gateway().trace(asked).size(), asked);
  for (const json& line : gateway().trace()) EXPECT_TRUE(line.is_object());
  for (const ObservedRequest& request : upstream_.requests()) {
    EXPECT_EQ(request.head.count("x-evil"), 0U);
    EXPECT_EQ(request.target.find_first_of("\r\n \""), std::string::npos) << request.target;
  }
  EXPECT_EQ(gateway().output().find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace sluice::integration
