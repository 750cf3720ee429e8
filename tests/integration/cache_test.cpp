// The exact cache: the same question is paid for once, and only by those who may share the answer.

#include <csignal>
#include <thread>

#include "integration/cache_fixture.hpp"

namespace sluice::integration {
namespace {

using ExactCache = CacheTest;

TEST_F(ExactCache, TheSameQuestionIsPaidForOnce) {
  upstream_.on(kChat).json(chat_answer());
  start(scenario());
  const Response first = question();
  EXPECT_EQ(result(first), "miss") << first.header("x-sluice-cache");
  const Response second = question();
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(second.body, first.body);
  EXPECT_EQ(result(second), "hit");
  EXPECT_NE(second.header("x-sluice-cache").find("; key="), std::string::npos);
  EXPECT_EQ(second.header("age"), "0");
  EXPECT_EQ(asked(), 1U);
  const auto lines = gateway().trace(2);
  EXPECT_EQ(lines[0]["cache"], "miss");
  EXPECT_EQ(lines[0]["cost_usd"], 0.000026);
  EXPECT_EQ(lines[1]["cache"], "hit");
  EXPECT_EQ(lines[1]["outcome"], "cache_hit");
  EXPECT_EQ(lines[1]["cost_usd"], 0);
  EXPECT_EQ(lines[1]["usage"]["source"], "cached");
  EXPECT_EQ(lines[1]["usage"]["output"], 0);
  EXPECT_EQ(lines[1]["saved"]["usd"], 0.000026);
  EXPECT_EQ(lines[1]["saved"]["output"], 7);
  EXPECT_EQ(lines[1]["provider"], "up");
  const auto metrics = gateway().metrics();
  EXPECT_EQ(metrics.sum("sluice_cache_requests_total", {"result=\"hit\""}), 1);
  EXPECT_EQ(metrics.sum("sluice_cache_saved_tokens_total"), 19);
}

TEST_F(ExactCache, OrderAndFormOfTheQuestionDoNotMatter) {
  upstream_.on(kChat).json(chat_answer());
  start(scenario());
  const std::string a = R"({"model":"m","temperature":0,"messages":[{"role":"user","content":"hi"}]})";
  const std::string b =
      R"({ "messages" : [ {"content":"h\u0069","role":"user"} ], "user":"ann", "temperature":0.0, "model":"m" })";
  EXPECT_EQ(result(ask_as(app_, a)), "miss");
  EXPECT_EQ(result(ask_as(app_, b)), "hit");
  EXPECT_EQ(result(ask_as(app_, R"({"model":"m","temperature":0,"messages":[{"role":"user","content":"hi "}]})")),
            "miss");
  EXPECT_EQ(result(ask_as(app_, R"({"model":"n","temperature":0,"messages":[{"role":"user","content":"hi"}]})")),
            "miss");
}

TEST_F(ExactCache, F63WhatTheUpstreamIsToldBesideTheBodyCounts) {
  upstream_.on(kChat).json(chat_answer());
  start(scenario());
  const auto told = [&](const std::string& query, const std::string& fields = "") {
    RawClient raw = client();
    raw.send(post_request(std::string(kChat) + query, chat_body("m", kZero), app_.bearer() + fields));
    return result(raw.read_response());
  };
  EXPECT_EQ(told(""), "miss");
  EXPECT_EQ(told("?api-version=1"), "miss");
  EXPECT_EQ(told("?api-version=2"), "miss");
  EXPECT_EQ(told("", "OpenAI-Beta: assistants=v2\r\n"), "miss");
  EXPECT_EQ(told("", "OpenAI-Beta: responses=v1\r\n"), "miss");
  for (const char* query : {"", "?api-version=1", "?api-version=2"}) EXPECT_EQ(told(query), "hit") << query;
  EXPECT_EQ(told("", "openai-beta: assistants=v2\r\n"), "hit");
  EXPECT_EQ(told("", "x-title: another app\r\n"), "hit") << "who asks makes no other answer";
}

TEST_F(ExactCache, F63TenantsDoNotShareUnlessTheyAreToldTo) {
  upstream_.on(kChat).json(chat_answer());
  start(scenario());
  const std::string body = chat_body("m", kZero);
  EXPECT_EQ(result(ask_as(app_, body)), "miss");
  EXPECT_EQ(result(ask_as(other_, body)), "miss");
  EXPECT_EQ(result(ask_as(other_, body)), "hit");
  stop();
  start(scenario("scope: org"));
  EXPECT_EQ(result(ask_as(app_, body)), "miss");
  EXPECT_EQ(result(ask_as(other_, body)), "hit");
  stop();
  start(scenario("scope: team"));
  EXPECT_EQ(result(ask_as(app_, body)), "miss");
  EXPECT_EQ(result(ask_as(other_, body)), "miss");
  stop();
  start(scenario("scope: namespace, namespace: bots"));
  EXPECT_EQ(result(ask_as(app_, body)), "miss");
  EXPECT_EQ(result(ask_as(other_, body)), "hit");
}

TEST_F(ExactCache, F67WhatIsNotDeterministicGoesPast) {
  upstream_.on(kChat).json(chat_answer());
  start(scenario());
  for (int i = 0; i < 2; ++i) {
    const Response answer = ask_as(app_, chat_body());
    EXPECT_EQ(answer.header("x-sluice-cache"), "bypass; reason=not_deterministic");
  }
  EXPECT_EQ(asked(), 2U);
  EXPECT_EQ(gateway().trace(2)[1]["cache_bypass"], "not_deterministic");
  stop();
  start(scenario("policy: all"));
  EXPECT_EQ(result(ask_as(app_, chat_body())), "miss");
  EXPECT_EQ(result(ask_as(app_, chat_body())), "hit");
  stop();
  Scenario off = scenario();
  off.models = "m: {target: up/upstream-model, cache: {policy: off}}";
  start(off);
  EXPECT_EQ(question().header("x-sluice-cache"), "") << "it has no part in it";
}

TEST_F(ExactCache, ModelsAndKeysHaveRulesOfTheirOwn) {
  upstream_.set_script([](const ObservedRequest& request) -> std::optional<Behaviour> {
    if (request.model == "cut-short") {
      json cut = json::parse(chat_answer("Hel"));
      cut["choices"][0]["finish_reason"] = "length";
      return Behaviour().json(cut.dump());
    }
    return Behaviour().json(chat_answer(request.model == "long" ? std::string(4000, 'x') : "Hello"));
  });
  Scenario made = scenario("", "cache: {policy: off}");
  made.models =
      "m: up/m, all: {target: up/m, cache: {policy: all}}, short: {target: up/m, cache: {ttl: 150ms}}, "
      "small: {target: up/long, cache: {max_entry: 2KiB}}, large: up/long, cut: up/cut-short, "
      "\"kept-cut\": {target: up/cut-short, cache: {finish_reasons: [stop, length]}}";
  start(made);
  const auto twice = [&](const std::string& model, const std::string& more) {
    ask_as(other_, chat_body(model, more));
    return result(ask_as(other_, chat_body(model, more)));
  };
  EXPECT_EQ(twice("m", kZero), "hit");
  EXPECT_EQ(twice("m", ""), "bypass");
  EXPECT_EQ(twice("all", ""), "hit");
  EXPECT_EQ(twice("large", kZero), "hit");
  EXPECT_EQ(twice("small", kZero), "miss");
  EXPECT_EQ(twice("cut", kZero), "miss");
  EXPECT_EQ(twice("kept-cut", kZero), "hit");
  ask_as(other_, chat_body("short", kZero));
  EXPECT_TRUE(eventually([&] { return result(ask_as(other_, chat_body("short", kZero))) == "miss"; }));
  EXPECT_EQ(ask_as(app_, chat_body("all", kZero)).header("x-sluice-cache"), "") << "it is off for that key";
  const auto skipped = [&](const char* reason) {
    return gateway().metrics().sum("sluice_cache_stores_skipped_total", {"reason=\"" + std::string(reason) + "\""});
  };
  EXPECT_EQ(skipped("too_large"), 2);
  EXPECT_EQ(skipped("finish_reason"), 2);
}

TEST_F(ExactCache, AStreamIsGivenAsABodyAndABodyAsAStream) {
  upstream_.on(kChat).stream(chat_stream_with_usage({"Hel", "lo"}));
  start(scenario());
  const Response first = streamed();
  EXPECT_EQ(result(first), "miss");
  const Response again = streamed();
  EXPECT_EQ(result(again), "hit");
  EXPECT_EQ(again.body, first.body);
  const Response body = question();
  EXPECT_EQ(result(body), "hit");
  const json whole = json::parse(body.body);
  EXPECT_EQ(whole["object"], "chat.completion");
  EXPECT_EQ(whole["choices"][0]["message"]["content"], "Hello");
  EXPECT_EQ(whole["usage"]["completion_tokens"], 7);
  const Response with_usage = streamed(R"("stream_options":{"include_usage":true})");
  EXPECT_EQ(result(with_usage), "hit");
  const auto events = data_of(with_usage);
  ASSERT_GE(events.size(), 3U);
  EXPECT_EQ(events.back(), "[DONE]");
  EXPECT_EQ(json::parse(events[events.size() - 2])["usage"]["completion_tokens"], 7);
  EXPECT_EQ(asked(), 1U);
  stop();
  now_on(kChat).json(chat_answer("Hello there."));
  start(scenario());
  EXPECT_EQ(result(question()), "miss");
  const Response played = streamed();
  EXPECT_EQ(result(played), "hit");
  std::string text;
  for (const std::string& event : data_of(played)) {
    if (event == "[DONE]") continue;
    text += json::parse(event)["choices"][0]["delta"].value("content", "");
  }
  EXPECT_EQ(text, "Hello there.");
  EXPECT_EQ(data_of(played).back(), "[DONE]");
}

TEST_F(ExactCache, F65WhatIsNotWholeLeavesNothing) {
  struct Case {
    const char* name;
    std::function<void(Behaviour&)> script;
  };
  const auto streamed_text = chat_stream({"Hel", "lo"});
  const std::vector<Case> cases = {
      {"cut", [&](Behaviour& b) { b.stream(streamed_text).then_fin_at(300); }},
      {"reset", [&](Behaviour& b) { b.stream(streamed_text).then_reset_at(300); }},
      {"no finish", [&](Behaviour& b) { b.stream({role_chunk(), text_chunk("x")}).then_fin(); }},
      {"length", [&](Behaviour& b) { b.stream({role_chunk(), text_chunk("x"), finish_chunk("length"), kDone}); }},
      {"error event",
       [&](Behaviour& b) { b.stream({role_chunk(), text_chunk("x"), error_answer("no", "server_error", "x")}); }},
      {"status", [&](Behaviour& b) { b.status(500).json(error_answer("down", "server_error", "down")); }},
  };
  start(scenario());
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    const std::size_t before = asked();
    for (int i = 0; i < 2; ++i) {
      one.script(now_on(kChat));
      EXPECT_EQ(result(streamed("\"stop\":\"" + std::string(one.name) + "\"")), "miss");
    }
    EXPECT_EQ(asked(), before + 2);
  }
}

TEST_F(ExactCache, AnAnswerThatCallsToolsIsKeptWhereThatIsAllowed) {
  upstream_.on(kChat).json(tool_call_answer("f", "{}"));
  const std::string tools = R"("tools":[{"type":"function","function":{"name":"f"}}])";
  start(scenario());
  EXPECT_EQ(result(question(tools)), "miss");
  EXPECT_EQ(result(question(tools)), "miss");
  stop();
  start(scenario("tool_calls: true, finish_reasons: [stop, tool_calls]"));
  EXPECT_EQ(result(question(tools)), "miss");
  const Response hit = question(tools);
  EXPECT_EQ(result(hit), "hit");
  EXPECT_EQ(json::parse(hit.body)["choices"][0]["message"]["tool_calls"][0]["function"]["name"], "f");
}

TEST_F(ExactCache, RequestsMaySayWhatTheyWant) {
  upstream_.on(kChat).json(chat_answer());
  start(scenario());
  const Response none = question("", "cache-control: only-if-cached\r\n");
  EXPECT_TRUE(is_error(none, 504, "not_cached"));
  EXPECT_EQ(asked(), 0U);
  EXPECT_EQ(question("", "cache-control: no-store\r\n").header("x-sluice-cache"), "bypass; reason=no_store");
  EXPECT_EQ(result(question()), "miss");
  EXPECT_EQ(result(question("", "cache-control: only-if-cached\r\n")), "hit");
  EXPECT_EQ(result(question("", "cache-control: no-cache\r\n")), "miss") << "and it is kept anew";
  EXPECT_EQ(result(question("", "cache-control: max-age=100\r\n")), "hit");
  ASSERT_TRUE(eventually([&] { return question().header("age") != "0"; }));
  EXPECT_EQ(result(question("", "cache-control: max-age=0\r\n")), "miss") << "an older one does not do";
  EXPECT_TRUE(is_error(question("", "x-sluice-cache-ttl: soon\r\n"), 400, "invalid_value"));
  EXPECT_EQ(result(question("\"seed\":1", "x-sluice-cache-ttl: 0\r\n")), "miss");
  EXPECT_EQ(result(question("\"seed\":1")), "miss") << "it was not kept";
  stop();
  start(scenario("request_control: false"));
  EXPECT_EQ(result(question("", "cache-control: no-store\r\n")), "miss");
  EXPECT_EQ(result(question("", "cache-control: no-cache\r\n")), "hit");
}

TEST_F(ExactCache, TimeEndsIt) {
  upstream_.on(kChat).json(chat_answer());
  start(scenario("ttl: 1s"));
  EXPECT_EQ(result(question()), "miss");
  EXPECT_EQ(result(question()), "hit");
  EXPECT_TRUE(eventually([&] { return result(question()) == "miss"; }));
}

TEST_F(ExactCache, AnOlderAnswerIsGivenWhileANewOneIsAskedFor) {
  upstream_.on(kChat).json(chat_answer("old"));
  start(scenario("ttl: 300ms, stale_while_revalidate: 1h"));
  EXPECT_EQ(result(question()), "miss");
  now_on(kChat).json(chat_answer("new"));
  Response stale;
  ASSERT_TRUE(eventually([&] {
    stale = question();
    return result(stale) == "stale";
  }));
  EXPECT_NE(stale.body.find("old"), std::string::npos);
  EXPECT_TRUE(eventually([&] { return question().body.find("new") != std::string::npos; }));
  json refresh;
  ASSERT_TRUE(eventually([&] {
    for (const json& line : gateway().trace()) {
      if (line.contains("refresh_of") && line["cost_usd"] != 0) refresh = line;
    }
    return !refresh.is_null();
  }));
  EXPECT_EQ(refresh["key"], "app-1");
  EXPECT_EQ(refresh["cost_usd"], 0.000026) << "and it is paid for by whoever asked";
}

TEST_F(ExactCache, ANewAnswerTakesThePlaceOfTheOldOneWithItsTagsAndItsLife) {
  upstream_.on(kChat).json(chat_answer("old"));
  start(scenario("stale_while_revalidate: 1h"));
  const auto ask_beta = [&](const std::string& fields = "") {
    RawClient raw = client();
    raw.send(post_request(std::string(kChat) + "?v=7", chat_body("m", kZero),
                          app_.bearer() + "openai-beta: x\r\n" + fields));
    return raw.read_response();
  };
  ask_beta("x-sluice-cache-ttl: 300ms\r\nx-sluice-cache-tags: doc:7,b\r\n");
  now_on(kChat).json(chat_answer("new"));
  ASSERT_TRUE(eventually([&] { return ask_beta().body.find("new") != std::string::npos; }));
  const auto asked = upstream_.requests();
  EXPECT_NE(asked.back().target.find("?v=7"), std::string::npos) << asked.back().target;
  EXPECT_EQ(asked.back().head.get("openai-beta"), "x");
  now_on(kChat).json(chat_answer("newest"));
  EXPECT_TRUE(eventually([&] { return ask_beta().body.find("newest") != std::string::npos; }))
      << "it lives as long as the first one was to";
  EXPECT_EQ(purge(R"({"tag":"doc:7"})").status, 200);
  EXPECT_EQ(result(ask_beta()), "miss");
  EXPECT_GE(gateway().metrics().sum("sluice_cache_requests_total", {"result=\"refresh\""}), 1);
}

TEST_F(ExactCache, AnOlderAnswerIsGivenWhenNobodyHasANewOne) {
  upstream_.on(kChat).json(chat_answer("old"));
  Scenario made = scenario("ttl: 300ms, stale_if_error: 1h");
  made.models = "m: {target: up/upstream-model, answer: \"Sorry.\"}";
  start(made);
  EXPECT_EQ(result(question()), "miss");
  now_on(kChat).status(500).json(error_answer("down", "server_error", "down"));
  Response stale;
  ASSERT_TRUE(eventually([&] {
    stale = question();
    return result(stale) == "stale";
  }));
  EXPECT_NE(stale.body.find("old"), std::string::npos) << "rather than the static answer: " << stale.body;
  EXPECT_NE(stale.header("x-sluice-cache").find("age="), std::string::npos);
  const Response nothing = question("\"seed\":2");
  EXPECT_NE(nothing.body.find("Sorry."), std::string::npos);
  EXPECT_EQ(result(question("\"seed\":2")), "miss") << "which is not kept";
}

TEST_F(ExactCache, EmbeddingsAreKept) {
  upstream_.on("/v1/embeddings").json(embeddings_answer(true));
  start(scenario());
  const std::string body = R"({"model":"m","input":"hi"})";
  const auto embed = [&] {
    RawClient raw = client();
    raw.send(post_request("/v1/embeddings", body, app_.bearer()));
    return raw.read_response();
  };
  const Response first = embed();
  EXPECT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(result(first), "miss");
  const Response second = embed();
  EXPECT_EQ(result(second), "hit");
  EXPECT_EQ(second.body, first.body);
}

TEST_F(ExactCache, PurgingIsAtOnce) {
  upstream_.on(kChat).json(chat_answer());
  start(scenario());
  for (const char* what : {R"({"all":true})", R"({"tag":"doc:7"})", R"({"model":"m"})", R"({"key":"app-1"})"}) {
    question("", "x-sluice-cache-tags: doc:7\r\n");
    EXPECT_EQ(result(question()), "hit") << what;
    const Response done = purge(what);
    EXPECT_EQ(done.status, 200) << done.body;
    EXPECT_EQ(result(question("", "x-sluice-cache-tags: doc:7\r\n")), "miss") << what;
  }
  for (const char* what : {R"({"tag":"doc:8"})", R"({"model":"n"})", R"({"key":"app-2"})"}) {
    EXPECT_EQ(purge(what).status, 200);
    EXPECT_EQ(result(question()), "hit") << what;
  }
  EXPECT_TRUE(is_error(purge("{}"), 400, "missing_required_parameter"));
  EXPECT_TRUE(is_error(purge("nonsense"), 400, "invalid_json"));
}

TEST_F(ExactCache, AModelIsPurgedByEachNameThatLeadsToIt) {
  upstream_.on(kChat).json(chat_answer());
  Scenario globs = scenario();
  globs.models = "\"gpt-*\": up/*, nice: up/upstream-model";
  start(globs);
  const auto ask_for = [&](const std::string& model) { return result(ask_as(app_, chat_body(model, kZero))); };
  for (const auto& [model, what] : std::vector<std::pair<std::string, std::string>>{
           {"gpt-4.1", "gpt-4.1"}, {"gpt-4.1", "gpt-*"}, {"nice", "nice"}}) {
    ask_for(model);
    EXPECT_EQ(ask_for(model), "hit");
    EXPECT_EQ(purge(R"({"model":")" + what + "\"}").status, 200);
    EXPECT_EQ(ask_for(model), "miss") << what;
  }
  EXPECT_EQ(purge(R"({"model":"gpt-4.1-mini"})").status, 200);
  EXPECT_EQ(ask_for("gpt-4.1"), "hit");
}

TEST_F(ExactCache, AStreamThatIsGivenAgainSaysHowManyEventsItHas) {
  const auto events = chat_stream_with_usage({"Hel", "lo"});
  upstream_.on(kChat).stream(events);
  start(scenario());
  const Response first = streamed(R"("stream_options":{"include_usage":true})");
  const Response again = streamed(R"("stream_options":{"include_usage":true})");
  EXPECT_EQ(result(again), "hit");
  const auto lines = gateway().trace(2);
  EXPECT_EQ(lines[0]["events"], data_of(first).size());
  EXPECT_EQ(lines[1]["events"], data_of(again).size());
}

// From its first event with text to its last one.
milliseconds span_of(const Response& streamed) {
  if (streamed.events.size() < 2) return 0ms;
  const auto last = streamed.events[streamed.events.size() - 2].at;
  return std::chrono::duration_cast<milliseconds>(last - streamed.events.front().at);
}

TEST_F(ExactCache, APacedStreamComesAsItOnceCame) {
  upstream_.on(kChat).stream(chat_stream({"a", "b", "c", "d"})).event_gap(60ms);
  start(scenario("replay: paced"));
  const Response first = streamed();
  EXPECT_EQ(result(first), "miss");
  const Response again = streamed();
  EXPECT_EQ(result(again), "hit");
  EXPECT_EQ(again.body, first.body);
  EXPECT_GE(span_of(again), 200ms) << "five pauses of 60 ms";
  const auto asked_at = Clock::now();
  EXPECT_EQ(result(question()), "hit");
  EXPECT_LT(Clock::now() - asked_at, span_of(first)) << "a body waits for nothing";
  RawClient leaves = client();
  leaves.send(post_request(kChat, stream_body("m", kZero), app_.bearer()));
  ASSERT_TRUE(leaves.read_head());
  leaves.close();
  EXPECT_TRUE(eventually([&] { return gateway().trace().back()["outcome"] == "client_abort"; }));
  EXPECT_EQ(asked(), 1U);
}

TEST_F(ExactCache, AtOnceMeansWithoutPauses) {
  upstream_.on(kChat).stream(chat_stream({"a", "b", "c", "d"})).event_gap(100ms);
  start(scenario());
  const Response first = streamed();
  const Response again = streamed();
  EXPECT_EQ(result(again), "hit");
  EXPECT_LT(span_of(again), span_of(first));
}

}  // namespace
}  // namespace sluice::integration
