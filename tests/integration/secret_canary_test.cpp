// F50, F38: a provider's credential is seen by that provider and by nobody else. Every test of this folder searches for
// the marked ones at its end; here are the ways in which they could get out.

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <fstream>

#include "integration/fixture.hpp"
#include "support/paths.hpp"

namespace sluice::integration {
namespace {

// Every kind of credential there is, besides UP_KEY.
const std::vector<std::string> kNames = {"K_QUERY",  "K_FIRST", "K_SECOND", "K_THIRD", "K_HEADER", "K_COOKIE",
                                         "K_SCHEME", "K_BARE",  "K_BARE_2", "K_TEAM",  "K_BASIC"};

std::string secret_of(const std::string& name) { return "sk-" + lower(name) + "-upstream-secret"; }

class SecretCanary : public GatewayTest {
 protected:
  Scenario scenario() const {
    Scenario made{.models = R"(m: up/x, "many-*": many/*, "bare-*": bare/*, "basic-*": basic/*)"};
    const std::string url = upstream_.url();
    made.providers = "  many: {base_url: \"" + url + "?key=${K_QUERY}&v=1\", headers: {x-a: \"${K_HEADER}\", " +
                     "cookie: \"s=${K_COOKIE}\", x-b: \"Token ${K_SCHEME}\"}, " +
                     "api_keys: [\"${K_FIRST}\", \"${K_SECOND}\", \"${K_THIRD}\"]}\n" +  //
                     "  bare: {base_url: \"" + url + "\", auth: {header: api-key, scheme: \"\"}, " +
                     "api_keys: [\"${K_BARE}\", \"${K_BARE_2}\"], headers: {x-c: \"${K_TEAM}\"}, " +
                     "paths: {chat: \"/deployments/{model}/chat\"}}\n" +  //
                     "  basic: {base_url: \"" + url + "\", headers: {authorization: \"Basic ${K_BASIC}\"}}\n";
    for (const auto& name : kNames) made.environment[name] = secret_of(name);
    return made;
  }
  // Each model in turn, streamed and not, often enough for every key to have its turn.
  void ask_everybody() {
    for (const char* model : {"m", "many-x", "bare-x", "basic-x"}) {
      for (int turn = 0; turn < 6; ++turn) ask(turn < 3 ? chat_body(model) : stream_body(model));
    }
  }
  std::string seen_by_the_upstream() const {
    std::string heads;
    for (const ObservedRequest& request : upstream_.requests()) heads += request.head_bytes;
    return heads;
  }
};

TEST_F(SecretCanary, F50ADozenCredentialsReachTheirUpstreamAndNothingElse) {
  upstream_.set_script([](const ObservedRequest& request) -> std::optional<Behaviour> {
    if (request.body.find("\"stream\":true") == std::string::npos) return Behaviour().json(chat_answer());
    return Behaviour().stream(chat_stream_with_usage({"a"}));
  });
  start(scenario());
  ask_everybody();
  const std::string heads = seen_by_the_upstream();
  EXPECT_NE(heads.find("sk-upstream-secret"), std::string::npos);
  for (const auto& name : kNames) EXPECT_NE(heads.find(secret_of(name)), std::string::npos) << name;
  EXPECT_EQ(gateway().trace(24).size(), 24U);
}

std::string text_of(const std::vector<Sink>& sinks, const std::string& name) {
  const auto found = std::ranges::find(sinks, name, &Sink::name);
  return found == sinks.end() ? "" : found->text;
}

// The search that ends every other test would be worth nothing if it found nothing.
TEST_F(SecretCanary, F50F77AMarkPlantedInASinkIsFound) {
  upstream_.on(kChat).json(chat_answer("it is sk-upstream-secret"));
  const std::string route(kPromptMark);
  Gateway planted({.binary = support::sluice_binary(),
                   .config = config_text({.models = "\"" + route + "\": up/x"}, upstream_.url()),
                   .config_name = std::string(kKeyMark) + ".yaml"});
  ASSERT_TRUE(planted.wait_ready()) << planted.output();
  const std::size_t before = SecretWatch::seen();
  EXPECT_EQ(fetch(planted.port(), post_request(kChat, chat_body(route))).status, 200);
  EXPECT_GT(SecretWatch::seen(), before) << "in an answer";
  EXPECT_EQ(planted.trace(1).size(), 1U);
  planted.directory().write("core.1", "CLIENT-SECRET");
  const std::vector<Sink> sinks = planted.sinks();
  for (const std::string name : {"/metrics", "cmdline", "output", "trace.jsonl", "core.1"}) {
    EXPECT_EQ(leaks({{name, text_of(sinks, name)}}).size(), 1U) << name << ": " << text_of(sinks, name);
  }
  for (const std::string name : {"/healthz", "/readyz", "/version", "/nothing"}) {
    EXPECT_NE(text_of(sinks, name), "") << name;
  }
  EXPECT_EQ(text_of(sinks, std::string(kKeyMark) + ".yaml"), "") << "the configuration is the operator's own";
}

// What an upstream can do with a request's head in an answer that is no success.
std::vector<Behaviour> echoes(const std::string& head) {
  const std::string error = error_answer(head, head, head);
  std::vector<Behaviour> all;
  for (const int status : {400, 401, 402, 403, 404, 409, 422, 429, 500, 503}) {
    all.push_back(Behaviour().status(status).json(error));
    all.push_back(Behaviour().status(status).body("text/plain", head));
  }
  all.push_back(Behaviour().json(error));
  all.push_back(Behaviour().status(302).header("location", "http://127.0.0.1:1/").body("text/plain", head));
  all.push_back(Behaviour().json("{\"choices\": " + head));
  all.push_back(Behaviour().body("text/html", "<html>" + head));
  all.push_back(Behaviour().stream({error}));
  all.push_back(Behaviour().stream({role_chunk(), text_chunk("a"), error}));
  all.push_back(Behaviour().stream({role_chunk(), "{bad " + head}));
  all.push_back(Behaviour().sse({"event: error\ndata: " + json(head).dump() + "\n\n"}));
  all.push_back(Behaviour().raw("HTTP/1.1 200 OK\r\nx bad: " + head + "\r\n\r\n"));
  return all;
}

TEST_F(SecretCanary, F50F38AnUpstreamThatRepeatsThemInItsErrorsGetsThemNowhere) {
  std::atomic<std::size_t> kind = 0, turns = 0;
  const std::size_t kinds = echoes("").size();
  upstream_.set_script([&](const ObservedRequest& request) -> std::optional<Behaviour> {
    ++turns;
    Behaviour echo = echoes(request.head_bytes)[kind];
    for (const char* name : {"x-request-id", "openai-version", "x-models-etag"}) {
      const std::string credential = request.head.get("authorization") + request.head.get("api-key");
      echo.header(name, credential);
    }
    return echo;
  });
  start(scenario());
  const double usable = gateway().metrics().sum("sluice_credential_usable");
  for (; kind < kinds; ++kind) {
    for (const char* model : {"m", "many-x", "bare-x", "basic-x"}) {
      const Response response = ask(kind % 2 == 0 ? stream_body(model) : chat_body(model));
      EXPECT_NE(response.status, 0);
      EXPECT_EQ(response.body.find("\"finish_reason\":\"stop\""), std::string::npos);
    }
    // Credentials that were refused or limited are used no more.
    if (gateway().metrics().sum("sluice_credential_usable") == usable) continue;
    stop();
    start(scenario());
  }
  EXPECT_GE(turns, 4 * kinds);
}

TEST_F(SecretCanary, F50AFailedResponseDoesNotRepeatThem) {
  upstream_.set_script([](const ObservedRequest& request) {
    const std::string failed = R"({"type":"response.failed","sequence_number":0,"response":{"id":"r","error":{"code":)"
                               R"("x","message":)" +
                               json(request.head.get("authorization")).dump() + "}}}";
    return std::optional(Behaviour().sse({"event: response.failed\ndata: " + failed + "\n\n"}));
  });
  start(scenario());
  const Response response = fetch(gateway().port(), post_request("/v1/responses", R"({"model":"m","stream":true})"));
  EXPECT_NE(response.body.find("[redacted]"), std::string::npos) << response.body;
}

TEST_F(SecretCanary, F50NeitherStartNorReloadNorProblemsOfAFileNameThem) {
  start(scenario());
  const std::string good = config_text(scenario(), upstream_.url());
  double tried = 0;
  for (const std::string& more :
       {std::string(), std::string("wrong: ${K_FIRST}\n"), std::string("wrong: sk-upstream-secret\n"),
        std::string("dns: {ttl: \"${K_FIRST}\"}\n"), std::string("dns: sk-upstream-secret: 1\n")}) {
    gateway().replace_config(good + more);
    gateway().signal(SIGHUP);
    ++tried;
    ASSERT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_config_reloads_total") == tried; }));
  }
  EXPECT_EQ(gateway().metrics().sum("sluice_config_reloads_total", {"result=\"ok\""}), 1);
}

TEST(SecretCanaryCheck, F50TheCheckCommandNamesVariablesAndNeverTheirValues) {
  const std::string head = "server: {listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\"}\n";
  const std::string models = "models: {m: up/x}\n";
  for (const std::string& bad :
       {std::string("providers: {up: {base_url: \"${UP_KEY}\"}}\n"),
        std::string("providers: {up: {base_url: \"http://a/v1\", api_keys: [sk-upstream-secret]}}\n"),
        std::string("providers: {up: {base_url: \"http://a/v1\", api_keys: [\"${UP_KEY} \"]}}\n"),
        std::string("providers: {up: {base_url: \"http://u:${UP_KEY}@a/v1\"}}\n"),
        std::string("providers: {up: {base_url: \"http://a/v1\", headers: {x: \"${UP_KEY}\\n\"}}}\n"),
        std::string("providers: {up: {base_url: \"https://a/v1\", tls: {ca_file: \"/dev/null/${UP_KEY}\"}}}\n")}) {
    const CheckResult check = check_config(support::sluice_binary(), head + bad + models);
    EXPECT_EQ(check.exit_code, 2) << bad << check.output;
    EXPECT_NE(check.output, "");
    EXPECT_EQ(check.output.find(kKeyMark), std::string::npos) << bad << check.output;
  }
}

// The soft limit that a process inherits, for as long as this lives.
class RaisedCoreLimit {
 public:
  RaisedCoreLimit() {
    ::getrlimit(RLIMIT_CORE, &was_);
    const rlimit most{.rlim_cur = was_.rlim_max, .rlim_max = was_.rlim_max};
    ::setrlimit(RLIMIT_CORE, &most);
  }
  ~RaisedCoreLimit() { ::setrlimit(RLIMIT_CORE, &was_); }
  RaisedCoreLimit(const RaisedCoreLimit&) = delete;
  RaisedCoreLimit& operator=(const RaisedCoreLimit&) = delete;
  bool allows_cores() const { return was_.rlim_max > 0; }

 private:
  rlimit was_{};
};

// The soft limit in a line such as "Max core file size   0   unlimited   bytes".
std::string core_limit_of(pid_t pid) {
  std::ifstream limits("/proc/" + std::to_string(pid) + "/limits");
  for (std::string line; std::getline(limits, line);) {
    if (!line.starts_with("Max core file size")) continue;
    const auto from = line.find_first_not_of(' ', 18);
    return line.substr(from, line.find(' ', from) - from);
  }
  return "no such line";
}

TEST_F(SecretCanary, F50NoCoreIsWrittenUnlessTheOperatorWantsIt) {
  const RaisedCoreLimit raised;
  if (!raised.allows_cores()) GTEST_SKIP() << "cores are off for this whole session";
  Scenario one{.environment = {{"ASAN_OPTIONS", "disable_coredump=0"}}};
  start(one);
  EXPECT_EQ(core_limit_of(gateway().process().pid()), "0");
  stop();
  one.server += ", core_dumps: true";
  start(one);
  EXPECT_NE(core_limit_of(gateway().process().pid()), "0");
  EXPECT_TRUE(gateway().wait_output("core_dumps is on"));
}

}  // namespace
}  // namespace sluice::integration
