// Rules end to end: which model answers, and what the client, the record and the price list say of it.

#include "integration/fixture.hpp"
#include "support/client_keys.hpp"

namespace sluice::integration {
namespace {

const ClientKey kApp = client_key(1);
const ClientKey kBatch = client_key(2);

// One token in costs one dollar per million with the dear model, a tenth of it with the cheap one; out twice as much.
constexpr const char* kPrices =
    "prices: {rows: [{provider: up, model: cheap, input: 0.1 USD, output: 0.2 USD}, "
    "{provider: up, model: \"*\", input: 1 USD, output: 2 USD}]}\nstate: {path: \"{DIR}/sluice.db\"}\n";

class RoutingRules : public GatewayTest {
 protected:
  // `auto` has these rules; the models they use are the upstream's of the same name.
  void start_rules(const std::string& rules, const std::string& more = "") {
    upstream_.set_script([](const ObservedRequest& request) {
      const bool stream = request.body.contains(R"("stream":true)");
      return stream ? Behaviour().stream(chat_stream({"hi"})) : Behaviour().json(chat_answer());
    });
    std::string models = "auto: {rules: [" + rules + "]}";
    for (const char* name : {"eyes", "strict", "handy", "quick", "brief", "broad", "wise", "dear", "cheap"}) {
      models += std::string(", ") + name + ": up/" + name;
    }
    start({.models = models, .more = more});
  }
  std::string last_model() const { return upstream_.requests().back().model; }
  json last_line(std::size_t count) {
    const auto lines = gateway().trace(count);
    return lines.size() < count ? json::object() : lines.at(count - 1);
  }
};

std::string asking(const std::string& content, const std::string& more = "") {
  return R"({"model":"auto","messages":[{"role":"user","content":)" + content + "}]" +
         (more.empty() ? "" : "," + more) + "}";
}
std::string words(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "canary-prompt ";
  return "\"" + text + "\"";
}

struct Asked {
  std::string what;
  std::string body;
  std::string head;
  std::string decision;  // begins with the model that answers
};

std::vector<Asked> all_asked() {
  const std::string tool =
      R"({"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}})";
  const std::string picture = R"([{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}])";
  const std::string schema =
      R"("response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}})";
  const std::string hard =
      R"("Prove step by step, and compare: \n```cpp\nint a;\n```\n```cpp\nint b;\n``` It must be exactly so, why?")";
  return {
      {"a picture", asking(picture), "", R"(eyes: rule "eyes": images 1 >= 1)"},
      {"a schema", asking("\"hi\"", schema), "", R"(strict: rule "strict": json_schema true)"},
      {"two tools", asking("\"hi\"", "\"tools\":[" + tool + "," + tool + "]"), "",
       R"(handy: rule "handy": tools 2 in 2..9)"},
      {"one tool", asking("\"hi\"", "\"tools\":[" + tool + "]"), "", R"(dear: rule 9: no conditions)"},
      {"haste", asking("\"hi\""), "x-sluice-max-latency: 800ms\r\n", R"(quick: rule "quick": max_latency 800ms <= 1s)"},
      {"haste in seconds", asking("\"hi\""), "x-sluice-max-latency: 1s\r\n",
       R"(quick: rule "quick": max_latency 1s <= 1s)"},
      {"no haste", asking("\"hi\""), "x-sluice-max-latency: 2s\r\n", R"(dear: rule 9: no conditions)"},
      {"nonsense for haste", asking("\"hi\""), "x-sluice-max-latency: soon\r\n", R"(dear: rule 9: no conditions)"},
      {"a short answer", asking("\"hi\"", "\"max_tokens\":20"), "", R"(brief: rule "brief": max_tokens 20 <= 20)"},
      {"the same by its new name", asking("\"hi\"", "\"max_completion_tokens\":20"), "",
       R"(brief: rule "brief": max_tokens 20 <= 20)"},
      {"a longer answer", asking("\"hi\"", "\"max_tokens\":21"), "", R"(dear: rule 9: no conditions)"},
      {"a long prompt", asking(words(1000)), "", R"(broad: rule "broad": input_tokens )"},
      {"a hard question", asking(hard), "", R"(wise: rule "wise": input_tokens 32 <= 1000, complexity 0.622 >= 0.5)"},
      {"a key with a tag", asking("\"hi\""), kBatch.bearer(), R"(cheap: rule 7: tags feature batch)"},
      {"the first rule that holds wins", asking(picture, schema + ",\"max_tokens\":5"), kBatch.bearer(),
       R"(eyes: rule "eyes": images 1 >= 1)"},
      {"a plain question", asking("\"hi\""), "", R"(dear: rule 9: no conditions)"},
  };
}

constexpr const char* kRules =
    R"({name: eyes, when: {images: ">= 1"}, use: eyes}, {name: strict, when: {json_schema: true}, use: strict}, )"
    R"({name: handy, when: {tools: 2..9}, use: handy}, {name: quick, when: {max_latency: "<= 1s"}, use: quick}, )"
    R"({name: brief, when: {max_tokens: "<= 20"}, use: brief}, )"
    R"({name: broad, when: {input_tokens: "> 1000"}, use: broad}, )"
    R"({when: {tags: {feature: batch}}, use: cheap}, )"
    R"({name: wise, when: {complexity: ">= 0.5", input_tokens: "<= 1000"}, use: wise}, {use: dear})";

TEST_F(RoutingRules, EveryFactDecidesAndEveryDecisionSaysWhy) {
  start_rules(kRules, "keys: [" + kApp.row("app-1") + ", " + kBatch.row("app-2", "tags: {feature: batch}") + "]\n");
  std::size_t count = 0;
  for (const Asked& one : all_asked()) {
    SCOPED_TRACE(one.what);
    const bool keyed = one.head.starts_with("authorization:");
    const Response response = ask(one.body, keyed ? one.head : kApp.bearer() + one.head);
    EXPECT_EQ(response.status, 200) << response.body;
    const std::string decision = response.header("x-sluice-decision");
    EXPECT_TRUE(decision.starts_with(one.decision)) << decision;
    EXPECT_EQ(last_model(), one.decision.substr(0, one.decision.find(':')));
    EXPECT_EQ(response.header("x-sluice-model"), last_model());
    const json line = last_line(++count);
    EXPECT_EQ(line["decision"], decision);
    EXPECT_EQ(line["route"], "auto");
    EXPECT_EQ(line["upstream_model"], last_model());
    EXPECT_FALSE(line.contains("estimated_cost_usd")) << "nobody wrote a price";
  }
}

TEST_F(RoutingRules, AStreamIsDecidedAboutAsAWholeAnswerIs) {
  start_rules("{name: live, when: {stream: true}, use: quick}, {use: dear}");
  const Response stream = ask(stream_body("auto"));
  EXPECT_EQ(data_of(stream), chat_stream({"hi"}));
  EXPECT_EQ(stream.header("x-sluice-decision"), R"(quick: rule "live": stream true)");
  EXPECT_EQ(ask(chat_body("auto")).header("x-sluice-decision"), "dear: rule 2: no conditions");
}

TEST_F(RoutingRules, OfTheEndUserThePatternIsToldAndNotTheName) {
  start_rules(R"({name: staff, when: {user: "ann*"}, use: quick}, {use: dear})");
  const Response response = ask(chat_body("auto", R"("user":"ann-of-the-north")"));
  EXPECT_EQ(response.header("x-sluice-decision"), R"(quick: rule "staff": user like ann*)");
  EXPECT_EQ(only_trace_line()["decision"], R"(quick: rule "staff": user like ann*)");
}

TEST_F(RoutingRules, WhoOnlyNamesATargetHearsOfNoDecision) {
  start_rules("{use: dear}", kPrices);
  const Response response = ask(chat_body("cheap"));
  EXPECT_EQ(response.header("x-sluice-provider"), "up");
  EXPECT_EQ(response.header("x-sluice-model"), "cheap");
  EXPECT_EQ(response.header("x-sluice-attempts"), "1");
  EXPECT_EQ(response.header("x-sluice-decision"), "");
  EXPECT_EQ(response.header("x-sluice-estimated-cost"), "");
  EXPECT_FALSE(only_trace_line().contains("decision"));
}

TEST_F(RoutingRules, TheEstimateIsTheMostThatTheChosenModelMayCost) {
  start_rules(R"({name: poor, when: {user: bob}, use: cheap}, {use: dear})", kPrices);
  const Response dear = ask(chat_body("auto", R"("max_tokens":1000)"));
  const Response cheap = ask(chat_body("auto", R"("max_tokens":1000,"user":"bob")"));
  const double most = std::stod(dear.header("x-sluice-estimated-cost"));
  EXPECT_GT(most, 1000 * 2e-6) << "the whole answer, and something for the prompt";
  EXPECT_LT(most, 1000 * 2e-6 + 200 * 1e-6);
  EXPECT_LT(std::stod(cheap.header("x-sluice-estimated-cost")), most / 9);
  const auto lines = gateway().trace(2);
  EXPECT_EQ(lines[0]["estimated_cost_usd"], most);
  EXPECT_EQ(lines[0]["cost_usd"], 0.000026);
  EXPECT_EQ(lines[1]["cost_usd"], 0.0000026);
}

TEST_F(RoutingRules, AShadowIsOnlyToldWithWhatItWouldHaveSaved) {
  start_rules(
      R"({name: thrift, when: {tools: false}, use: cheap, shadow: true}, {name: late, shadow: true, use: wise}, )"
      R"({name: now, when: {max_tokens: true}, use: dear}, {use: quick})",
      kPrices);
  const Response response = ask(chat_body("auto", R"("max_tokens":1000)"));
  EXPECT_EQ(response.header("x-sluice-decision"), R"(dear: rule "now": max_tokens present)");
  EXPECT_EQ(last_model(), "dear");
  EXPECT_EQ(upstream_.requests().size(), 1U);
  const json line = only_trace_line();
  EXPECT_EQ(line["shadow"], R"(cheap: rule "thrift": tools absent)") << "the first of them";
  const double chosen = line["estimated_cost_usd"];
  EXPECT_NEAR(line["shadow_saves_usd"].get<double>(), chosen * 0.9, 1e-8);
}

TEST_F(RoutingRules, AShadowThatIsDearerSavesLessThanNothing) {
  start_rules("{name: lavish, shadow: true, use: dear}, {use: cheap}", kPrices);
  EXPECT_EQ(ask(chat_body("auto", R"("max_tokens":1000)")).header("x-sluice-model"), "cheap");
  const json line = only_trace_line();
  EXPECT_EQ(line["shadow"], R"(dear: rule "lavish": no conditions)");
  EXPECT_NEAR(line["shadow_saves_usd"].get<double>(), -9 * line["estimated_cost_usd"].get<double>(), 1e-8);
}

TEST_F(RoutingRules, WhoseBudgetIsNearlyUsedGetsTheCheapModel) {
  // An answer costs 26 millionths of a dollar; of a budget of 60 that leaves 57 %.
  start_rules(R"({name: poor, when: {budget_left: "< 60%"}, use: cheap}, )"
              R"({name: unbounded, when: {budget_left: false}, use: wise}, {use: dear})",
              std::string(kPrices) + "keys: [" + kApp.row("app-1", "limits: {budget: 0.00006 USD/month}") + ", " +
                  kBatch.row("app-2") + "]\n");
  const std::string body = chat_body("auto", R"("max_tokens":3)");
  EXPECT_EQ(ask(body, kApp.bearer()).header("x-sluice-decision"), "dear: rule 3: no conditions");
  ASSERT_TRUE(eventually([&] {
    const json limits = json::parse(gateway().admin("/admin/limits?key=app-1").body)["limits"];
    return limits[0]["reserved_usd"] == 0 && limits[0]["used_usd"] == 0.000026;
  }));
  const Response second = ask(body, kApp.bearer());
  EXPECT_EQ(second.header("x-sluice-decision"), R"(cheap: rule "poor": budget_left 57% < 60%)");
  EXPECT_EQ(last_model(), "cheap");
  const Response other = ask(body, kBatch.bearer());
  EXPECT_EQ(other.header("x-sluice-decision"), R"(wise: rule "unbounded": budget_left absent)");
}

TEST_F(RoutingRules, ASwitchTurnsOffWhatAnswersTellOfIt) {
  start_rules("{name: thrift, shadow: true, use: cheap}, {use: dear}",
              std::string(kPrices) + "routing: {response_headers: false}\n");
  for (const Response& response : {ask(chat_body("auto")), ask(stream_body("auto")), ask(chat_body("cheap"))}) {
    EXPECT_EQ(response.status, 200);
    for (const auto& [name, value] : response.head.headers) {
      EXPECT_FALSE(lower(name).starts_with("x-sluice-")) << name << ": " << value;
    }
  }
  const json line = gateway().trace(3).front();
  EXPECT_EQ(line["decision"], "dear: rule 2: no conditions") << "the record has it all the same";
  EXPECT_TRUE(line.contains("estimated_cost_usd"));
}

}  // namespace
}  // namespace sluice::integration
