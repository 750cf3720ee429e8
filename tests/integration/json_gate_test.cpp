// F14, F15: what a body must not hold is refused with its name and its place and reaches nobody; everything else
// reaches the upstream byte for byte. F12: compressed bodies are refused unread. J19: the same bytes from an upstream.

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

struct Case {
  std::string id;
  std::string body;
  std::string code = {};   // empty: forwarded
  std::string param = {};  // of a refusal; empty: null
};

constexpr const char* kOk = "";
constexpr const char* kValue = "invalid_value";

// A good body with one more member.
std::string with(const std::string& member) { return chat_body("any-x", member); }
std::string with_messages(const std::string& messages) { return R"({"model":"any-x","messages":)" + messages + "}"; }
std::string user(const std::string& content) { return R"({"role":"user","content":)" + content + "}"; }

std::string repeated(const std::string& piece, int count) {
  std::string text = piece;
  for (int i = 1; i < count; ++i) text += "," + piece;
  return text;
}
std::string nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
}

std::vector<Case> syntax_cases() {
  std::vector<Case> cases = {
      {"J01", R"({"model":"any-x","model":"m","messages":[{"role":"user"}]})", "duplicate_key", "model"},
      {"J01Escaped", R"({"model":"any-x","mod\u0065l":"m","messages":[{"role":"user"}]})", "duplicate_key", "model"},
      {"J01Message", with_messages(R"([{"role":"user","role":"system"}])"), "duplicate_key", "role"},
      {"J01Tool", with(R"("tools":[{"function":{"name":"a","name":"b"}}])"), "duplicate_key", "name"},
      {"J02Depth63", with("\"x\":" + nested(63)), kOk},
      {"J02Depth64", with("\"x\":" + nested(64)), "json_too_deep"},
      {"J02Depth1000", with("\"x\":" + nested(1000)), "json_too_deep"},
      {"J02Depth100000", with("\"x\":" + nested(100'000)), "json_too_deep"},
  };
  for (const std::string bad : {R"("\ud800")",
                                R"("\udc00\ud800")",
                                "\"\xFF\"",
                                "\"\xC0\x80\"",
                                "\"\xED\xA0\x80\"",
                                "\"\xF4\x90\x80\x80\"",
                                "\"\xE5\x8C\"",
                                "NaN",
                                "Infinity",
                                "-Infinity",
                                "1e400",
                                "-1e400",
                                "0x10",
                                "01",
                                "+1",
                                "1.",
                                ".5",
                                "1_000",
                                "\"\t\"",
                                "'x'",
                                "tru"}) {
    cases.push_back({"J03J05 " + bad, with("\"x\":" + bad), "invalid_json"});
  }
  for (const std::string& bad : {std::string(), std::string("   "), std::string("null"), std::string("[]"),
                                 std::string("\"x\""), std::string("1"), with("\"x\":1") + "{}", with("\"x\":1") + "x",
                                 with("\"x\":1") + std::string(1, '\0'), "\xEF\xBB\xBF" + with("\"x\":1"),
                                 std::string("{\0}\0", 4), std::string("\0{\0}", 4), std::string("+AHs-+AH0-")}) {
    cases.push_back({"J04J16 " + bad.substr(0, 20), bad, "invalid_json"});
  }
  return cases;
}

std::vector<Case> value_cases() {
  std::vector<Case> cases;
  const auto refuse = [&cases](const std::string& name, std::initializer_list<std::string> values) {
    for (const auto& value : values) {
      cases.push_back({name + "=" + value.substr(0, 40), with("\"" + name + "\":" + value), kValue, name});
    }
  };
  const auto accept = [&cases](const std::string& name, std::initializer_list<std::string> values) {
    for (const auto& value : values) {
      cases.push_back({name + "=" + value.substr(0, 40), with("\"" + name + "\":" + value), kOk});
    }
  };
  for (const std::string tokens : {"max_tokens", "max_completion_tokens"}) {
    refuse(tokens, {"0", "-1", "2147483648", "9223372036854775808", "18446744073709551616", "1.5", "\"10\"", "true",
                    "[]", "{}"});
    accept(tokens, {"1.0", "1e3", "2147483647", "null"});
  }
  refuse("temperature", {"-0.1", "2.1", "\"0\"", "[0]"});
  accept("temperature", {"1e-400", "-0", "2.0", "0.70"});
  refuse("top_p", {"1.1", "-1"});
  accept("top_p", {"0", "1"});
  refuse("n", {"0", "9", "1e9", "-1", "1.5"});
  refuse("stop", {R"(["a","b","c","d","e"])", "\"\"", "\"" + std::string(10'000, 'x') + "\"", "[1]", "{}"});
  accept("stop", {"\"\\n\"", "[\"a\",\"b\"]", "null"});
  refuse("seed", {"18446744073709551616", "0.5", "\"7\""});
  accept("seed", {"9007199254740993", "-1", "7.0"});
  refuse("stream", {"\"true\"", "1", "[]", "{}"});
  refuse("stream_options", {R"({"include_usage":true})", "[]", "1"});
  std::string bias = "{\"0\":1";
  for (int i = 1; i < 100'000; ++i) bias += ",\"" + std::to_string(i) + "\":1";
  refuse("logit_bias", {bias + "}", "[]", "\"x\""});
  return cases;
}

std::vector<Case> message_cases() {
  const std::string root = "[" + user("\"x\"") + R"(,{"role":"root","content":"x"}])";
  const std::string image = R"({"type":"image_url","image_url":{"url":")";
  return {
      {"J10Absent", R"({"model":"any-x"})", "missing_required_parameter", "messages"},
      {"J10Null", with_messages("null"), kValue, "messages"},
      {"J10Object", with_messages("{}"), kValue, "messages"},
      {"J10Empty", with_messages("[]"), kValue, "messages"},
      {"J10Million", with_messages("[" + repeated("{}", 1'000'000) + "]"), "missing_required_parameter",
       "messages[0].role"},
      {"J10MillionGood", with_messages("[" + repeated(R"({"role":"user"})", 1'000'000) + "]"), kValue, "messages"},
      {"J10Content9MiB", with_messages("[" + user("\"" + std::string(9 * 1024 * 1024, 'x') + "\"") + "]"), kOk},
      {"J10Role", with_messages(root), kValue, "messages[1].role"},
      {"J10ToolWithoutId", with_messages(R"([{"role":"tool","content":"x"}])"), "missing_required_parameter",
       "messages[0].tool_call_id"},
      {"J11ManyImages", with_messages("[" + user("[" + repeated(image + "x\"}}", 10'000) + "]") + "]"), kOk},
      {"J11File", with_messages("[" + user("[" + image + "file:///etc/passwd\"}}]") + "]"), kOk},
      {"J11Metadata", with_messages("[" + user("[" + image + "http://169.254.169.254/\"}}]") + "]"), kOk},
      {"J11Data",
       with_messages("[" + user("[" + image + "data:image/png;base64," + std::string(8'000'000, 'A') + "\"}}]") + "]"),
       kOk},
  };
}

std::vector<Case> other_cases() {
  std::vector<Case> cases;
  const auto named = [](const std::string& model) {
    return R"({"model":)" + model + R"(,"messages":[{"role":"user"}]})";
  };
  for (const std::string bad : {"\"\"", "7", "null", "{}", R"("a\r\nX: y")", R"("a\u0000b")", R"("any-\u007f")"}) {
    cases.push_back({"J12 " + bad, named(bad), kValue, "model"});
  }
  for (const std::string& unknown :
       {std::string(" "), std::string("../x"), std::string("🚀"), std::string(1'000'000, 'z')}) {
    cases.push_back({"J12 " + unknown.substr(0, 20), named("\"" + unknown + "\""), "model_not_found", "model"});
  }
  for (const std::string text :
       {R"(a\r\nX: y)", R"(\u001b[31m)", "${jndi:ldap://x}", "</script>", "%n%s%x", R"(\"\\)"}) {
    cases.push_back({"J13 " + text, with(R"("user":")" + text + R"(","metadata":{"k":")" + text + "\"}"), kOk});
  }
  cases.push_back({"J13Long", with("\"user\":\"" + std::string(65'536, 'u') + "\""), kOk});
  const std::string tool = R"({"type":"function","function":{"name":"f","parameters":)";
  cases.push_back({"J15Many", with("\"tools\":[" + repeated(tool + "{}}}", 10'000) + "]"), kOk});
  cases.push_back({"J15Deep", with("\"tools\":[" + tool + nested(200) + "}}]"), "json_too_deep"});
  cases.push_back(
      {"J15Ref", with("\"tools\":[" + tool + R"({"$ref":"#","$defs":{"a":{"$ref":"#/$defs/a"}}}}}])"), kOk});
  cases.push_back({"J15Regex", with("\"tools\":[" + tool + R"({"pattern":"^(a+)+$"}}}])"), kOk});
  std::string keys = "\"k\":0";
  for (int i = 0; i < 10'000; ++i) keys += ",\"k" + std::to_string(i) + "\":null";
  cases.push_back({"J17Keys", with(keys), kOk});
  cases.push_back({"J17Key", with("\"" + std::string(1 << 20, 'k') + "\":0"), kOk});
  cases.push_back({"J17Proto", with(R"("__proto__":{"a":1},"constructor":{"prototype":{}},"":0)"), kOk});
  return cases;
}

class JsonGate : public GatewayTest {
 protected:
  void check(const std::vector<Case>& cases) {
    upstream_.on(kChat).json(chat_answer());
    start();
    std::vector<const Case*> forwarded;
    RawClient raw = client();
    for (const Case& one : cases) {
      raw.send(post_request(kChat, one.body));
      const Response response = raw.read_response();
      if (one.code.empty()) {
        EXPECT_EQ(response.status, 200) << one.id << " " << response.body;
        forwarded.push_back(&one);
      } else {
        expect_refusal(one, response);
      }
    }
    const auto requests = upstream_.requests();
    ASSERT_EQ(requests.size(), forwarded.size()) << "a refused body reached the upstream";
    for (std::size_t i = 0; i < requests.size(); ++i) {
      EXPECT_TRUE(requests[i].body == forwarded[i]->body) << forwarded[i]->id << " was changed on its way";
    }
  }

  static void expect_refusal(const Case& one, const Response& response) {
    EXPECT_TRUE(is_error(response, one.code == "model_not_found" ? 404 : 400, one.code)) << one.id;
    EXPECT_LT(response.body.size(), 1'000U) << one.id;
    const json body = json::parse(response.body, nullptr, false);
    if (!body.is_object()) return;
    const json& error = body["error"];
    EXPECT_EQ(error["param"], one.param.empty() ? json() : json(one.param)) << one.id;
    if (one.code == "model_not_found") return;
    EXPECT_NE(error["message"].get<std::string>().find(" at byte "), std::string::npos) << one.id << " " << error;
  }
};

TEST_F(JsonGate, F14SyntaxIsRefusedWithItsPlaceOrForwardedAsItIs) { check(syntax_cases()); }
TEST_F(JsonGate, F15ValuesAreRefusedByNameOrForwardedAsTheyAre) { check(value_cases()); }
TEST_F(JsonGate, F15MessagesAreRefusedByNameOrForwardedAsTheyAre) { check(message_cases()); }
TEST_F(JsonGate, F15TheRestIsNobodysBusiness) { check(other_cases()); }

TEST_F(JsonGate, F12CompressedBodiesAreRefusedUnread) {
  start();
  for (const std::string encoding : {"gzip", "x-gzip", "GZIP", "deflate", "br", "zstd", "compress", "gzip, identity",
                                     "identity, gzip", "gzip, gzip", "aws-chunked"}) {
    RawClient raw = client();
    raw.send("POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-encoding: " +
             encoding + "\r\ncontent-length: 10000000\r\n\r\n");
    EXPECT_TRUE(is_error(raw.read_response(), 415, "unsupported_content_encoding")) << encoding;
    EXPECT_EQ(raw.wait_end(), End::kFin) << "and nothing of it is awaited";
  }
  EXPECT_EQ(upstream_.connections().size(), 0U);
}

TEST_F(JsonGate, J19HostileAnswersAreABadGatewayAndNeverACrash) {
  const std::string head = R"({"id":"x","object":"chat.completion","choices":)";
  const std::vector<std::string> bad = {"",
                                        "null",
                                        "[]",
                                        "\"x\"",
                                        "{",
                                        chat_answer() + "x",
                                        "\xEF\xBB\xBF" + chat_answer(),
                                        nested(65),
                                        nested(100'000),
                                        head + "null}",
                                        head + "{}}",
                                        head + "[null]}",
                                        head + R"([{"index":-1}]})",
                                        head + R"([{"index":2147483648}]})",
                                        head + R"([{"index":"0"}]})",
                                        head + "[" + repeated("{}", 1'000'000) + "]}",
                                        head + R"([],"choices":[]})",
                                        head + "[\"\xFF\"]}",
                                        head + "[1e400]}",
                                        head + "[NaN]}",
                                        std::string("{\0}", 3)};
  upstream_.set_script([&](const ObservedRequest& request) {
    const std::size_t index = std::stoul(request.model.substr(4));
    return Behaviour().json(index < bad.size() ? bad[index] : chat_answer());
  });
  start();
  for (std::size_t i = 0; i < bad.size(); ++i) {
    const Response response = ask(chat_body("any-" + std::to_string(i)));
    EXPECT_TRUE(is_error(response, 502, "upstream_invalid_response")) << i << " " << bad[i].substr(0, 60);
  }
  EXPECT_EQ(ask(chat_body("any-" + std::to_string(bad.size()))).body, chat_answer());
}

}  // namespace
}  // namespace sluice::integration
