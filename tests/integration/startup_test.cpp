// F71: a configuration that is wrong opens no port and says where it is wrong.

#include "integration/fixture.hpp"
#include "support/paths.hpp"

#include <regex>
#include <sstream>

namespace sluice::integration {
namespace {

struct BadConfig {
  const char* name;
  std::string text;
  int line;  // where the fault is; 0: anywhere
};

const std::string kServer = "server: {listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\"}\n";
const std::string kProviders = "providers:\n  up: {dialect: openai, base_url: \"http://127.0.0.1:1/v1\"}\n";
const std::string kModels = "models: {m: up/x}\n";

std::vector<BadConfig> bad_configs() {
  return {
      {"UnknownKey", kServer + kProviders + kModels + "sevrer: {}\n", 5},
      {"UnknownNestedKey", kServer + "timeouts: {conect: 1s}\n" + kProviders + kModels, 2},
      {"DuplicateKey", kServer + kServer + kProviders + kModels, 2},
      {"BadDuration", kServer + "timeouts: {connect: soon}\n" + kProviders + kModels, 2},
      {"DurationWithoutUnit", kServer + "timeouts: {connect: 5}\n" + kProviders + kModels, 2},
      {"BadUrl", kServer + "providers:\n  up: {dialect: openai, base_url: \"ftp://x\"}\n" + kModels, 3},
      {"MissingEnvironment",
       kServer +
           "providers:\n  up: {dialect: openai, base_url: \"http://a/v1\", headers: {x: \"${NO_SUCH_VAR_X}\"}}\n" +
           kModels,
       3},
      {"UnknownProvider", kServer + kProviders + "models: {m: nowhere/x}\n", 4},
      {"NotYaml", kServer + "models: [\n", 0},
      {"WrongType", kServer + "limits: []\n" + kProviders + kModels, 2},
      {"BadPort", "server: {listen: \"127.0.0.1:99999\"}\n" + kProviders + kModels, 1},
      {"BadDialect", kServer + "providers:\n  up: {dialect: opnai, base_url: \"http://a/v1\"}\n" + kModels, 3},
  };
}

class BadStart : public ::testing::TestWithParam<BadConfig> {};

TEST_P(BadStart, F71ExitsWithTwoAndNamesThePlace) {
  Gateway gateway({.binary = support::sluice_binary(), .config = GetParam().text});
  EXPECT_EQ(gateway.wait_exit(), 2) << gateway.output();
  EXPECT_FALSE(gateway.wait_ready(0ms)) << "a port was opened";
  EXPECT_EQ(gateway.sanitizer_report(), "");
  const std::string line = GetParam().line == 0 ? "[0-9]+" : std::to_string(GetParam().line);
  EXPECT_TRUE(std::regex_search(gateway.output(), std::regex("gateway\\.yaml:" + line + ":[0-9]+: ")))
      << gateway.output();
}

TEST_P(BadStart, TheCheckCommandSaysTheSame) {
  Gateway gateway({.binary = support::sluice_binary(), .config = GetParam().text});
  ASSERT_EQ(gateway.wait_exit(), 2);
  const CheckResult check = check_config(support::sluice_binary(), GetParam().text);
  EXPECT_EQ(check.exit_code, 2);
  const auto problems = [](const std::string& output) {
    std::vector<std::string> lines;
    std::istringstream text(output);
    for (std::string one; std::getline(text, one);) {
      if (const auto at = one.find("gateway.yaml:"); at != std::string::npos) lines.push_back(one.substr(at));
    }
    return lines;
  };
  EXPECT_FALSE(problems(check.output).empty());
  EXPECT_EQ(problems(check.output), problems(gateway.output()));
}

INSTANTIATE_TEST_SUITE_P(With, BadStart, ::testing::ValuesIn(bad_configs()),
                         [](const auto& bad) { return bad.param.name; });

TEST(Start, AMissingFileIsRefused) {
  Process process({support::sluice_binary(), "serve", "--config", "/nonexistent/gateway.yaml"}, {});
  EXPECT_EQ(process.wait_exit(10s), 2) << process.output();
  EXPECT_NE(process.output().find("/nonexistent/gateway.yaml"), std::string::npos);
}

TEST(Start, CheckAcceptsAGoodFile) {
  const CheckResult check = check_config(support::sluice_binary(), kServer + kProviders + kModels);
  EXPECT_EQ(check.exit_code, 0) << check.output;
}

TEST(Start, AllProblemsAreNamedAtOnce) {
  const CheckResult check = check_config(
      support::sluice_binary(), kServer + "timeouts: {conect: 1s, idle: soon}\nfoo: 1\n" + kProviders + kModels);
  EXPECT_EQ(check.exit_code, 2);
  for (const char* place : {"gateway.yaml:2:12", "gateway.yaml:2:", "gateway.yaml:3:1"}) {
    EXPECT_NE(check.output.find(place), std::string::npos) << place << " in " << check.output;
  }
}

TEST(Start, APortInUseIsRefused) {
  const Listener taken = listen_loopback();
  Gateway gateway({.binary = support::sluice_binary(),
                   .config = "server: {listen: \"127.0.0.1:" + std::to_string(taken.port) +
                             "\", admin: \"127.0.0.1:0\"}\n" + kProviders + kModels});
  const auto code = gateway.wait_exit();
  ASSERT_TRUE(code) << "it runs without its port";
  EXPECT_NE(*code, 0);
  EXPECT_NE(gateway.output().find(std::to_string(taken.port)), std::string::npos) << gateway.output();
  EXPECT_EQ(gateway.sanitizer_report(), "");
}

}  // namespace
}  // namespace sluice::integration
