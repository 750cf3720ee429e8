// What of questions and answers is in the trace: nothing unless it was asked for; their hash; the text without what
// looks like a secret, however a stream cuts it; all of it. The fixture searches every sink for marks in prompts and
// answers.

#include <csignal>

#include "integration/fixture.hpp"
#include "support/client_keys.hpp"

namespace sluice::integration {
namespace {

// One of each kind, and what is to be left of it. The marks of requests are a kind as well, so that they do not count
// as leaks where the rest of a text is kept.
const std::string kRedact =
    "redact: [{name: canary, pattern: 'canary-(?:prompt|answer)'}, {name: ticket, pattern: 'ACME-[0-9]{6}'}]";
const std::string kSecrets = "Bob bob.b@example.org, card 4111 1111 1111 1111, tel +1 415 555 2671, key sk-" +
                             std::string("proj-a1B2c3D4e5F6g7H8") + ", ACME-123456, Bearer abcdef0123456789.";
const std::string kStruck =
    "Bob [redacted:email], card [redacted:card], tel [redacted:phone], key [redacted:api_key], [redacted:ticket], "
    "[redacted:bearer].";

std::string plain_body(const std::string& text, const std::string& more = "", const std::string& model = "m") {
  json body = {{"model", model}, {"messages", {{{"role", "user"}, {"content", text}}}}};
  if (!more.empty()) body.update(json::parse("{" + more + "}"));
  return body.dump();
}

class ContentTest : public GatewayTest {
 protected:
  static std::string traced(const std::string& content) { return "path: \"{DIR}/trace.jsonl\", " + content; }
  void start_with(const std::string& content) { start({.trace = traced(content)}); }

  // The trace line of a request that is asked now.
  json line_of(const std::string& body, const std::string& path = kChat, const std::string& head = "") {
    const Response response = fetch(gateway().port(), post_request(path, body, head));
    const std::string id = response.header("x-request-id");
    json found;
    EXPECT_TRUE(eventually([&] {
      for (const json& line : gateway().trace()) {
        if (line["request_id"] == id) found = line;
      }
      return !found.is_null();
    })) << response.body;
    return found.is_null() ? json::object() : found;
  }
};

TEST_F(ContentTest, NothingIsKeptUnlessItIsAskedFor) {
  upstream_.on(kChat).stream(chat_stream({"the canary-answer"}));
  start();
  const json line = line_of(stream_body());
  for (const char* name : {"input_hash", "input", "output", "redactions", "truncated"}) {
    EXPECT_FALSE(line.contains(name)) << line;
  }
}

TEST_F(ContentTest, HashesTellEqualQuestionsAndNothingElse) {
  upstream_.on(kChat).stream(chat_stream({"the canary-answer"}));
  start_with("content: hash");
  const json first = line_of(stream_body());
  const std::string hash = first.value("input_hash", "");
  EXPECT_EQ(hash.size(), 32U);
  EXPECT_EQ(hash.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_FALSE(first.contains("input") || first.contains("output"));
  EXPECT_EQ(line_of(stream_body("m", R"("user":"u","metadata":{"a":"b"},"stream_options":{"include_usage":true})"))
                .value("input_hash", ""),
            hash);
  EXPECT_NE(line_of(stream_body("m", R"("temperature":0.5)")).value("input_hash", ""), hash);
}

TEST_F(ContentTest, HashesUnderOneSecretOutliveTheProcess) {
  upstream_.on(kChat).json(chat_answer());
  std::vector<std::string> hashes;
  for (int run = 0; run < 2; ++run) {
    start({.trace = traced("content: hash, secret: \"${TRACE_SECRET}\""),
           .environment = {{"TRACE_SECRET", "once and again"}}});
    hashes.push_back(line_of(chat_body()).value("input_hash", ""));
    stop();
  }
  start_with("content: hash");
  hashes.push_back(line_of(chat_body()).value("input_hash", ""));
  EXPECT_EQ(hashes[0], hashes[1]);
  EXPECT_NE(hashes[0], hashes[2]);
}

TEST_F(ContentTest, ABodyIsRedacted) {
  upstream_.on(kChat).json(chat_answer("Hi. " + kSecrets + " canary-answer"));
  start_with("content: redacted, " + kRedact);
  const json line = line_of(plain_body(kSecrets + " canary-prompt"));
  EXPECT_EQ(line["input"], "user: " + kStruck + " [redacted:canary]");
  EXPECT_EQ(line["output"], "Hi. " + kStruck + " [redacted:canary]");
  EXPECT_EQ(line["redactions"],
            json::parse(R"({"api_key":2,"bearer":2,"canary":2,"card":2,"email":2,"phone":2,"ticket":2})"));
  EXPECT_FALSE(line.contains("truncated"));
  EXPECT_EQ(line["input_hash"].get<std::string>().size(), 32U);
}

// Wherever a stream cuts a secret in two, and with each character in an event of its own.
TEST_F(ContentTest, AStreamIsRedactedWhereverItIsCut) {
  std::vector<std::string> pieces;
  upstream_.set_script([&](const ObservedRequest&) { return std::optional(Behaviour().stream(chat_stream(pieces))); });
  start_with("content: redacted, " + kRedact);
  const auto expect_struck = [&](const std::string& where) {
    EXPECT_EQ(line_of(stream_body())["output"], kStruck) << where;
  };
  for (std::size_t cut = 0; cut <= kSecrets.size(); ++cut) {
    pieces = {kSecrets.substr(0, cut), kSecrets.substr(cut)};
    expect_struck("cut at " + std::to_string(cut));
  }
  pieces.clear();
  for (const char c : kSecrets) pieces.emplace_back(1, c);
  expect_struck("each on its own");
}

TEST_F(ContentTest, AStreamThatComesByteByByteIsRedacted) {
  upstream_.on(kChat).stream(chat_stream({kSecrets.substr(0, 40), kSecrets.substr(40)})).byte_by_byte();
  start_with("content: redacted, " + kRedact);
  EXPECT_EQ(line_of(stream_body())["output"], kStruck);
}

// Arguments of tools are JSON in a JSON string, whose escapes are escaped, and cut by the stream like anything else.
TEST_F(ContentTest, CallsOfToolsAreRedacted) {
  const std::string arguments = R"({"to":"bob\u0040example.org","card":"4111\u00a01111\u00a01111\u00a01111","n":1})";
  const std::string struck = R"(tool_call mail: {"to":"[redacted:email]","card":"[redacted:card]","n":1})";
  std::optional<std::size_t> cut;
  upstream_.set_script([&](const ObservedRequest&) {
    if (!cut) return std::optional(Behaviour().json(tool_call_answer("mail", arguments)));
    const auto piece = [](const std::string& head, const std::string& text) {
      return chunk(R"([{"index":0,"delta":{"tool_calls":[{"index":0,)" + head + json(text).dump() + "}}]}}]");
    };
    return std::optional(Behaviour().stream(
        {role_chunk(),
         piece(R"("id":"c","type":"function","function":{"name":"mail","arguments":)", arguments.substr(0, *cut)),
         piece(R"("function":{"arguments":)", arguments.substr(*cut)), finish_chunk("tool_calls"), kDone}));
  });
  start_with("content: redacted, " + kRedact);
  EXPECT_EQ(line_of(chat_body())["output"], struck);
  for (cut = 0; *cut <= arguments.size(); ++*cut) EXPECT_EQ(line_of(stream_body())["output"], struck) << *cut;
  const json asked = {
      {"model", "m"},
      {"messages",
       {{{"role", "assistant"},
         {"content", nullptr},
         {"tool_calls",
          {{{"id", "c"}, {"type", "function"}, {"function", {{"name", "mail"}, {"arguments", arguments}}}}}}},
        {{"role", "tool"}, {"tool_call_id", "c"}, {"content", {{{"type", "text"}, {"text", kSecrets}}}}}}}};
  cut.reset();
  EXPECT_EQ(line_of(asked.dump())["input"], "assistant: \n" + struck + "\ntool: " + kStruck);
}

TEST_F(ContentTest, ResponsesAreRedacted) {
  constexpr const char* kResponses = "/v1/responses";
  std::size_t cut = 0;
  upstream_.set_script([&](const ObservedRequest&) {
    return std::optional(cut == 0 ? Behaviour().json(responses_answer(kSecrets))
                                  : Behaviour().sse(responses_stream({kSecrets.substr(0, cut), kSecrets.substr(cut)})));
  });
  start_with("content: redacted, " + kRedact);
  json body = {{"model", "m"}, {"instructions", "Be brief."}, {"input", kSecrets}};
  const json whole = line_of(body.dump(), kResponses);
  EXPECT_EQ(whole["input"], "instructions: Be brief.\nuser: " + kStruck);
  EXPECT_EQ(whole["output"], kStruck);
  body["stream"] = true;
  body["input"] = json::parse(
      R"([{"role":"user","content":[{"type":"input_text","text":"Hi"},{"type":"input_image","image_url":"x"}]},
    {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"done"}])");
  for (cut = 1; cut <= kSecrets.size(); cut += 3) {
    const json line = line_of(body.dump(), kResponses);
    EXPECT_EQ(line["output"], kStruck) << cut;
    EXPECT_EQ(line["input"],
              "instructions: Be brief.\nuser: Hi\n[input_image]\ntool_call f: {}\nfunction_call_output: done");
  }
}

TEST_F(ContentTest, OtherEndpointsToo) {
  upstream_.on("/v1/completions").json(completion_answer(kSecrets));
  upstream_.on("/v1/embeddings").json(embeddings_answer(false, 2));
  upstream_.on("/v1/moderations").json(moderation_answer());
  start_with("content: redacted, " + kRedact);
  const json completion = line_of(json({{"model", "m"}, {"prompt", kSecrets}}).dump(), "/v1/completions");
  EXPECT_EQ(completion["input"], kStruck);
  EXPECT_EQ(completion["output"], kStruck);
  const json embedding = line_of(json({{"model", "m"}, {"input", {"one", kSecrets}}}).dump(), "/v1/embeddings");
  EXPECT_EQ(embedding["input"], "one\n" + kStruck);
  EXPECT_EQ(embedding["output"], "");
  EXPECT_EQ(line_of(json({{"model", "m"}, {"input", kSecrets}}).dump(), "/v1/moderations")["input"], kStruck);
}

TEST_F(ContentTest, FullIsAllOfIt) {
  upstream_.on(kChat).stream(chat_stream({kSecrets, " \"quoted\"\n"}));
  start_with("content: full");
  const json line = line_of(plain_body(kSecrets, R"("stream":true)"));
  EXPECT_EQ(line["input"], "user: " + kSecrets);
  EXPECT_EQ(line["output"], kSecrets + " \"quoted\"\n");
  EXPECT_FALSE(line.contains("redactions"));
}

TEST_F(ContentTest, TheMorePrivateOfModelAndKeyCounts) {
  upstream_.on_any().json(chat_answer("ok"));
  const ClientKey silent = client_key(1), shy = client_key(2), open = client_key(3);
  start({.models = R"(m: up/x, none: {target: up/x, content: none}, hash: {target: up/x, content: hash},
    full: {target: up/x, content: full}, led: {rules: [{use: none}], content: full}, shy: {rules: [{use: full}], content: hash})",
         .trace = traced("content: redacted"),
         .more = "keys: [" + silent.row("silent") + ", " + shy.row("shy", "content: hash") + ", " +
                 open.row("open", "content: full") + "]\n"});
  const auto level = [&](const ClientKey& key, const std::string& model) -> std::string {
    const json line = line_of(plain_body("mail bob@x.org", "", model), kChat, key.bearer());
    if (!line.contains("input_hash")) return "none";
    if (!line.contains("input")) return "hash";
    return line["input"] == "user: mail bob@x.org"          ? "full"
           : line["input"] == "user: mail [redacted:email]" ? "redacted"
                                                            : "?";
  };
  EXPECT_EQ(level(silent, "m"), "redacted");
  EXPECT_EQ(level(silent, "none"), "none");
  EXPECT_EQ(level(silent, "hash"), "hash");
  EXPECT_EQ(level(silent, "full"), "full");
  EXPECT_EQ(level(silent, "led"), "none") << "the model that the rules chose says so";
  EXPECT_EQ(level(silent, "shy"), "hash") << "the model that was asked for says so";
  EXPECT_EQ(level(shy, "m"), "hash");
  EXPECT_EQ(level(shy, "full"), "hash");
  EXPECT_EQ(level(shy, "none"), "none");
  EXPECT_EQ(level(open, "m"), "full");
  EXPECT_EQ(level(open, "hash"), "hash");
  EXPECT_EQ(level(open, "full"), "full");
}

TEST_F(ContentTest, AReloadChangesIt) {
  upstream_.on(kChat).json(chat_answer("ok"));
  start_with("content: full");
  EXPECT_EQ(line_of(plain_body("hello")).value("input", ""), "user: hello");
  gateway().replace_config(config_text({}, upstream_.url()));
  gateway().signal(SIGHUP);
  ASSERT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_config_reloads_total") == 1; }));
  EXPECT_FALSE(line_of(chat_body()).contains("input"));
}

TEST_F(ContentTest, OfWhatIsLongTheBeginningIsKept) {
  const std::string text = "bob@x.org " + std::string(3000, 'x') + "é" + std::string(400'000, 'y');
  upstream_.on(kChat).json(chat_answer(text));
  start_with("content: redacted, content_bytes: 1KiB");
  for (int large = 0; large < 2; ++large) {
    const json line = line_of(plain_body(large == 1 ? text : "short"));
    EXPECT_TRUE(line["output"].get<std::string>().starts_with("[redacted:email] xxx"));
    EXPECT_TRUE(line["output"].get<std::string>().ends_with("x…"));
    EXPECT_LE(line["output"].get<std::string>().size(), 1027U);
    EXPECT_EQ(line["truncated"], true);
  }
}

// The secret is whole only beyond what is kept.
TEST_F(ContentTest, NoPartOfASecretAcrossTheEndIsKept) {
  const std::string text = std::string(1014, 'x') + " bob.bobson@example.org";
  upstream_.on(kChat).stream(chat_stream({text}));
  start_with("content: redacted, content_bytes: 1KiB");
  const std::string kept = line_of(plain_body("hi", R"("stream":true)"))["output"];
  EXPECT_TRUE(kept.ends_with("x [redacted…")) << kept;
}

TEST_F(ContentTest, WhatIsRefusedOrFailsHasItsQuestion) {
  upstream_.on_model("any-bad").status(400).json(error_answer("canary-answer", "canary-answer", "canary-answer"));
  upstream_.on_model("any-cut").stream({role_chunk(), text_chunk("so far")}).without_last_chunk();
  start_with("content: full");
  const json bad = line_of(plain_body("hello", "", "any-bad"));
  EXPECT_EQ(bad["status"], 400);
  EXPECT_EQ(bad["input"], "user: hello");
  EXPECT_EQ(bad["output"], "") << "what an upstream says of an error is no answer";
  const json cut = line_of(plain_body("hello", R"("stream":true)", "any-cut"));
  EXPECT_EQ(cut["outcome"], "upstream_truncated");
  EXPECT_EQ(cut["output"], "so far");
  EXPECT_FALSE(line_of("{\"model\":\"m\"").contains("input_hash")) << "what cannot be read asks nothing";
}

TEST_F(ContentTest, AClientThatLeavesHasWhatItGot) {
  upstream_.on_model("any-stalls").stream({role_chunk(), text_chunk("so far")}).stall();
  upstream_.on_model("any-hangs").hang();
  start_with("content: full");
  RawClient left = client();
  left.send(post_request(kChat, plain_body("hello", R"("stream":true)", "any-stalls")));
  ASSERT_TRUE(left.read_head());
  while (const auto event = left.next_event(5s)) {
    if (event->text.contains("so far")) break;
  }
  left.close();
  RawClient early = client();
  early.send(post_request(kChat, plain_body("hello", "", "any-hangs")));
  ASSERT_TRUE(upstream_.wait_for_requests(2));
  early.close();
  for (const json& line : gateway().trace(2)) {
    EXPECT_EQ(line["outcome"], "client_abort");
    EXPECT_EQ(line["input"], "user: hello");
    EXPECT_EQ(line["output"], line["stream"] == true ? "so far" : "");
  }
}

TEST_F(ContentTest, AnswersOfTheCacheAreKeptLikeOthers) {
  upstream_.on(kChat).stream(chat_stream_with_usage({"an ", "answer"}));
  start({.trace = traced("content: full"), .more = "cache: {policy: all}\n"});
  const std::string body = plain_body("hello", R"("stream":true)");
  const json asked = line_of(body);
  const json given = line_of(body);
  EXPECT_EQ(given["cache"], "hit");
  for (const char* name : {"input_hash", "input", "output"}) EXPECT_EQ(given[name], asked[name]);
  EXPECT_EQ(given["output"], "an answer");
}

}  // namespace
}  // namespace sluice::integration
