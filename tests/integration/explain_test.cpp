// `sluice explain`: what would become of a request, told without a gateway, a port or a file.

#include "integration/fixture.hpp"
#include "support/paths.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace sluice::integration {
namespace {

constexpr const char* kConfig = R"(
providers:
  up: {base_url: "http://192.0.2.1/v1", limits: {requests: 5000/min}}
  house: {dialect: static, answer: busy}
prices:
  rows:
    - {provider: up, model: large, input: 2.5 USD, output: 10 USD}
    - {provider: up, model: small, input: 0.15 USD, output: 0.6 USD}
models:
  small: up/small
  large: {targets: [{provider: up, model: large}, {provider: up, model: small, when: {stream: true}}],
          fallback: [small, house/busy]}
  shared: {targets: [up/large], split: [{percent: 100%, use: small, name: all}], mirror: {use: large, percent: 5%}}
  auto:
    rules:
      - {name: watch, when: {complexity: "<= 1"}, use: small, shadow: true}
      - {name: cheap, when: {tools: false, complexity: "<= 0.3"}, use: small}
      - {use: large}
groups:
  acme: {limits: {budget: 500 USD/month}}
keys:
  - {name: app, group: acme, endpoints: [chat], hash: "HASH", limits: {each_user: {requests: 20/min}}}
)";
constexpr const char* kAsk =
    R"({"model":"auto","messages":[{"role":"user","content":"hi"}],"tools":[{}],"max_tokens":1000})";

struct Ran {
  int code = -1;
  std::string output;
};

class Explain : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string made = sh(support::sluice_binary() + " key new --name app").output;
    const auto at = made.find("sluice1:");
    ASSERT_NE(at, std::string::npos) << made;
    std::string config = kConfig;
    config.replace(config.find("HASH"), 4, made.substr(at, made.find('\n', at) - at));
    folder_.write("gateway.yaml", config_ = config);
  }
  void add_to_config(const std::string& lines) { folder_.write("gateway.yaml", config_ += lines); }
  Ran sh(const std::string& command) {
    support::Process process({"/bin/sh", "-c", "cd " + folder_.path(".") + " && " + command}, {{"CACHE_SECRET", "s"}});
    const auto code = process.wait_exit(30s);
    return {code.value_or(-1), process.output()};
  }
  Ran explain(const std::string& body, const std::string& more = "") {
    folder_.write("request.json", body);
    return sh(support::sluice_binary() + " explain --config gateway.yaml --request request.json " + more);
  }

  support::TempDir folder_;
  std::string config_;
};

TEST_F(Explain, TellsTheRuleTheTargetsTheLimitsAndTheCost) {
  const Ran ran = explain(kAsk, "--key app --user anna --json");
  ASSERT_EQ(ran.code, 0) << ran.output;
  const json told = json::parse(ran.output);
  EXPECT_EQ(told["decision"], "large: rule 3: no conditions");
  ASSERT_EQ(told["rules"].size(), 3U) << ran.output;
  EXPECT_EQ(told["rules"][0]["verdict"], "shadow");
  EXPECT_EQ(told["rules"][1]["why"], "rule \"cheap\": tools is 1, not false");
  EXPECT_EQ(told["rules"][2]["verdict"], "chosen");
  const json& targets = told["answered_by"]["targets"];
  ASSERT_EQ(targets.size(), 2U) << ran.output;
  EXPECT_EQ(targets[0]["name"], "up/large");
  EXPECT_EQ(targets[0]["output_usd_per_million"], 10);
  EXPECT_EQ(targets[1]["left_out"], "its `when` does not hold");
  EXPECT_EQ(told["fallback"].size(), 2U);
  std::vector<std::string> nodes;
  for (const json& limit : told["limits"]) nodes.push_back(limit["node"]);
  EXPECT_EQ(nodes, (std::vector<std::string>{"provider up", "group acme", "user"}));
  EXPECT_EQ(told["output_tokens"], 1000);
  const double cost = told["cost_usd"];
  EXPECT_GT(cost, 0.01) << "a thousand tokens out, and those that came in";
  EXPECT_LT(cost, 0.011);
}

TEST_F(Explain, TellsSplits) {
  const Ran ran = explain(R"({"model":"shared","messages":[{"role":"user","content":"hi"}]})", "--key app --json");
  ASSERT_EQ(ran.code, 0) << ran.output;
  const json told = json::parse(ran.output);
  EXPECT_EQ(told["splits"], json({"shared: 100 % as \"all\" to small"}));
  EXPECT_EQ(told["decision"], "small: split \"all\": 100 %");
  EXPECT_EQ(told["answered_by"]["model"], "small");
}

TEST_F(Explain, TellsWhetherTheAnswerWouldBeKept) {
  EXPECT_EQ(json::parse(explain(kAsk, "--key app --json").output)["cache"], "off");
  add_to_config("cache: {ttl: 1h, secret: \"${CACHE_SECRET}\"}\n");
  std::string ask = R"({"model":"large","messages":[{"role":"user","content":"hi"}]})";
  EXPECT_EQ(json::parse(explain(ask, "--key app --json").output)["cache"], "bypassed: not_deterministic");
  ask.insert(1, R"("temperature":0,)");
  const json told = json::parse(explain(ask, "--key app --json").output);
  EXPECT_EQ(told["cache"], "kept for 3600000 ms, shared by key app");
  EXPECT_EQ(told["cache_key"].get<std::string>().size(), 64U);
  EXPECT_NE(explain(ask, "--key app").output.find("Cache: kept for"), std::string::npos);
}

TEST_F(Explain, IsMeantForPeopleToRead) {
  const Ran ran = explain(kAsk, "--key app");
  EXPECT_EQ(ran.code, 0) << ran.output;
  for (const char* part :
       {"chosen  auto, rule 3", "Answered by large", "If that fails: small", "group acme: at most 500"}) {
    EXPECT_NE(ran.output.find(part), std::string::npos) << part << "\n" << ran.output;
  }
}

TEST_F(Explain, WritesNoFile) {
  ASSERT_EQ(explain(kAsk, "--key app").code, 0);
  EXPECT_EQ(sh("ls -A | tr '\\n' ' '").output, "gateway.yaml request.json ");
}

TEST_F(Explain, ARequestThatWouldBeRefusedIsRefused) {
  const Ran unknown = explain(R"({"model":"none","messages":[{"role":"user","content":"x"}]})", "--key app");
  EXPECT_EQ(unknown.code, 1);
  EXPECT_NE(unknown.output.find("404 (model_not_found), param model"), std::string::npos) << unknown.output;
  const Ran wrong = explain(R"({"model":"auto","messages":1})", "--json");
  EXPECT_EQ(wrong.code, 1);
  EXPECT_EQ(json::parse(wrong.output)["error"]["param"], "messages") << wrong.output;
  const Ran elsewhere = explain(R"({"model":"small","input":["x"]})", "--key app");
  EXPECT_EQ(elsewhere.code, 1) << elsewhere.output;
  EXPECT_NE(elsewhere.output.find("`embeddings`"), std::string::npos) << elsewhere.output;
}

TEST_F(Explain, ReadsStandardInput) {
  const Ran ran = sh("echo '" + std::string(kAsk) + "' | " + support::sluice_binary() +
                     " explain -c gateway.yaml -r - --key app --endpoint chat");
  EXPECT_EQ(ran.code, 0) << ran.output;
}

TEST_F(Explain, WhatIsWrongWithTheCommandOrTheFileIsToldAsByCheck) {
  for (const char* more : {"--key nobody", "--endpoint models"}) {
    EXPECT_EQ(explain(kAsk, more).code, 2) << more;
  }
  folder_.write("gateway.yaml", "models: {m: nowhere/x}\n");
  const Ran ran = explain(kAsk);
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.output, sh(support::sluice_binary() + " check gateway.yaml").output);
}

}  // namespace
}  // namespace sluice::integration
