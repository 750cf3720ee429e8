// Several credentials of one provider: which one is asked, which one rests and for how long, and what the client hears.

#include <csignal>
#include <ctime>

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

constexpr auto kWait = 1500ms;

class Credentials : public GatewayTest {
 protected:
  // `m` is a model of a provider with the keys a and b.
  void start_two(const std::string& more = "") {
    start({.providers = "  two: {base_url: \"" + upstream_.url() + R"(", api_keys: ["${KEY_A}", "${KEY_B}"]})" + "\n",
           .models = "m: two/x",
           .more = more,
           .environment = {{"KEY_A", "upstream-secret-a"}, {"KEY_B", "upstream-secret-b"}}});
  }
  // What each request with that key is answered; the others are answered well.
  using Answer = std::function<Behaviour()>;
  void answer(char key, Answer answer) { answers_[key] = std::move(answer); }
  void answer(char key, const Behaviour& behaviour) {
    answers_[key] = [behaviour] { return behaviour; };
  }
  void serve() {
    upstream_.set_script([answers = answers_](const ObservedRequest& request) -> std::optional<Behaviour> {
      const auto known = answers.find(key_of(request));
      if (known != answers.end()) return known->second();
      if (request.body.contains(R"("stream":true)")) return Behaviour().stream(chat_stream({"hello"}));
      return Behaviour().json(chat_answer());
    });
  }
  static char key_of(const ObservedRequest& request) { return request.head.get("authorization").back(); }
  // The keys that the upstream has seen, in order.
  std::string keys() const {
    std::string all;
    for (const auto& request : upstream_.requests()) all += key_of(request);
    return all;
  }
  json credential(std::size_t index) {
    const json report = json::parse(gateway().admin("/admin/targets").body);
    EXPECT_EQ(report["credentials"].size(), 4U) << "of up and spare one each";
    for (const json& one : report["credentials"]) {
      if (one["provider"] == "two" && one["index"] == index) return one;
    }
    return json::object();
  }
  json target() { return json::parse(gateway().admin("/admin/targets").body)["targets"].at(0); }
  double metric(std::string_view name, int index) {
    return gateway().metrics().sum(name, {R"(provider="two")", "index=\"" + std::to_string(index) + "\""});
  }
  bool back(std::size_t index) {
    return eventually([&] { return credential(index)["usable"] == true; });
  }
  void reload() {
    const double before = gateway().metrics().sum("sluice_config_reloads_total");
    gateway().signal(SIGHUP);
    ASSERT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_config_reloads_total") > before; }));
  }

  std::map<char, Answer> answers_;
};

Behaviour refusal(int status) {
  return Behaviour().status(status).json(error_answer("Incorrect API key provided.", "invalid_request_error", "bad"));
}
Behaviour limited(const std::string& message = "Slow down.") {
  return Behaviour().status(429).json(error_answer(message, "rate_limit_error", "rate_limit_exceeded"));
}

class RefusedKey : public Credentials, public ::testing::WithParamInterface<int> {};

TEST_P(RefusedKey, F38IsFollowedByTheNextOneOfTheProviderAndLeftAlone) {
  answer('a', refusal(GetParam()));
  serve();
  start_two();
  const Response first = ask(chat_body());
  EXPECT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(first.header("x-sluice-attempts"), "2");
  EXPECT_EQ(keys(), "ab") << "both within the one request, in their order";
  EXPECT_EQ(ask(stream_body()).header("x-sluice-attempts"), "1");
  EXPECT_EQ(ask(chat_body()).header("x-sluice-attempts"), "1");
  EXPECT_EQ(keys(), "abbb");

  const json out = credential(0);
  EXPECT_EQ(out["usable"], false);
  EXPECT_EQ(out["reason"], "quarantined");
  EXPECT_EQ(out["rejections"], 1);
  EXPECT_GT(out["out_for_ms"], 500'000);
  EXPECT_LE(out["out_for_ms"], 600'000);
  EXPECT_EQ(credential(1)["usable"], true);
  EXPECT_EQ(metric("sluice_credential_usable", 0), 0);
  EXPECT_EQ(metric("sluice_credential_usable", 1), 1);
  EXPECT_EQ(metric("sluice_credential_rejections_total", 0), 1);
  EXPECT_EQ(target()["window_faults"], 0) << "the target is none the worse for it";
  EXPECT_TRUE(gateway().wait_output("providers.two.api_keys[0] was not accepted"));
  const auto lines = gateway().trace(3);
  EXPECT_EQ(lines[0]["attempts"], 2);
  EXPECT_EQ(lines[0]["outcome"], "ok");
  EXPECT_FALSE(lines[0].contains("error"));
}

TEST_P(RefusedKey, F38InAStreamIsNoMoreSeenByTheClient) {
  answer('a', refusal(GetParam()));
  serve();
  start_two();
  const Response response = ask(stream_body());
  EXPECT_EQ(data_of(response), chat_stream({"hello"}));
  EXPECT_EQ(keys(), "ab");
}

TEST_P(RefusedKey, F38IsNeverTheClientsOwn) {
  answer('a', refusal(GetParam()));
  answer('b', refusal(GetParam()));
  serve();
  start_two();
  const Response first = ask(chat_body());
  EXPECT_TRUE(is_error(first, 502, "upstream_auth_failed"));
  EXPECT_EQ(first.body.find("Incorrect API key"), std::string::npos) << first.body;
  EXPECT_EQ(keys(), "ab");
  EXPECT_TRUE(is_error(ask(chat_body()), 502, "upstream_auth_failed"));
  EXPECT_TRUE(is_error(ask(stream_body()), 502, "upstream_auth_failed"));
  EXPECT_EQ(keys(), "ab") << "who was refused is not asked again";
  const auto lines = gateway().trace(3);
  EXPECT_EQ(lines[0]["attempts"], 2);
  EXPECT_EQ(lines[2]["attempts"], 0);
  for (const json& line : lines) EXPECT_EQ(line["error"], "upstream_auth_failed");
  EXPECT_EQ(target()["window_faults"], 0);
}

TEST_P(RefusedKey, F38IsTriedAgainAfterAReload) {
  answer('a', refusal(GetParam()));
  serve();
  start_two();
  EXPECT_EQ(ask(chat_body()).status, 200);
  EXPECT_EQ(credential(0)["usable"], false);
  answers_.clear();
  serve();
  reload();
  EXPECT_EQ(credential(0)["usable"], true);
  EXPECT_EQ(metric("sluice_credential_usable", 0), 1);
  EXPECT_EQ(metric("sluice_credential_rejections_total", 0), 1) << "what was counted stays counted";
  for (int i = 0; i < 4; ++i) EXPECT_EQ(ask(chat_body()).header("x-sluice-attempts"), "1");
  EXPECT_EQ(std::ranges::count(keys().substr(2), 'a'), 2) << keys();
}

INSTANTIATE_TEST_SUITE_P(Status, RefusedKey, ::testing::Values(401, 402, 403),
                         [](const auto& one) { return "Of" + std::to_string(one.param); });

std::string http_date(std::chrono::seconds from_now) {
  const std::time_t when = std::time(nullptr) + from_now.count();
  std::tm parts{};
  ::gmtime_r(&when, &parts);
  char text[40];
  std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return text;
}
// Milliseconds since 1970.
std::string epoch_ms(milliseconds from_now) {
  const auto since = std::chrono::system_clock::now().time_since_epoch() + from_now;
  return std::to_string(std::chrono::duration_cast<milliseconds>(since).count());
}

// A wait in one of the forms in which providers tell it.
struct Told {
  std::string name;
  std::function<Behaviour()> answer;
  milliseconds least, most;
};
void PrintTo(const Told& told, std::ostream* out) { *out << told.name; }

std::vector<Told> waits() {
  const auto field = [](const std::string& name, const std::string& value) {
    return [name, value] { return limited().header(name, value); };
  };
  const auto words = [](const std::string& message) { return [message] { return limited(message); }; };
  return {
      {"RetryAfterMs", field("retry-after-ms", "1500"), kWait, kWait},
      {"RetryAfterSeconds", field("retry-after", "2"), 2s, 2s},
      {"RetryAfterFraction", field("retry-after", "1.5"), kWait, kWait},
      {"RetryAfterDate", [] { return limited().header("retry-after", http_date(3s)); }, 2s, 3s},
      {"TheShorterUnitWins", [] { return limited().header("retry-after", "9").header("retry-after-ms", "1500"); },
       kWait, kWait},
      {"WordsOfOpenAi", words("Rate limit reached for m. Please try again in 1500ms. Visit us."), kWait, kWait},
      {"WordsInSeconds", words("Please try again in 1.7s."), 1700ms, 1700ms},
      {"RetryDelayOfGoogle",
       [] { return Behaviour().status(429).json(R"({"error":{"code":429,"details":[{"retryDelay":"1.5s"}]}})"); },
       kWait, kWait},
      {"NothingSaid", [] { return limited(); }, 1s, 1s},
      {"ResetOfRequests", field("x-ratelimit-reset-requests", "1.7s"), 1700ms, 1700ms},
      {"ResetOfTokensThatAreUsedUp",
       [] {
         return limited()
             .header("x-ratelimit-remaining-requests", "90")
             .header("x-ratelimit-reset-requests", "1h")
             .header("x-ratelimit-remaining-tokens", "0")
             .header("x-ratelimit-reset-tokens", "1.7s");
       },
       1700ms, 1700ms},
      {"ResetAsAMoment", [] { return limited().header("x-ratelimit-reset", epoch_ms(1700ms)); }, 1650ms, 1700ms},
  };
}

class LimitedKey : public Credentials, public ::testing::WithParamInterface<Told> {};

TEST_P(LimitedKey, F37RestsForAsLongAsItWasToldWhileTheOtherServes) {
  const Told& told = GetParam();
  answer('a', told.answer);
  serve();
  start_two();
  const auto begun = Clock::now();
  const Response first = ask(chat_body());
  EXPECT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(first.header("x-sluice-attempts"), "2");
  EXPECT_TRUE(first.header("retry-after").empty());
  EXPECT_EQ(ask(stream_body()).header("x-sluice-attempts"), "1");
  EXPECT_EQ(keys(), "abb");
  const json out = credential(0);
  EXPECT_EQ(out["usable"], false);
  EXPECT_EQ(out["reason"], "cooling_down");
  EXPECT_EQ(out["cool_downs"], 1);
  EXPECT_LE(out["out_for_ms"], told.most.count());
  EXPECT_EQ(metric("sluice_credential_cool_downs_total", 0), 1);
  EXPECT_EQ(target()["window_faults"], 0);
  answers_.clear();
  serve();
  ASSERT_TRUE(back(0));
  EXPECT_GE(Clock::now() - begun, told.least);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(ask(chat_body()).header("x-sluice-attempts"), "1");
  EXPECT_NE(keys().substr(3).find('a'), std::string::npos) << "it is used again: " << keys();
}

INSTANTIATE_TEST_SUITE_P(Wait, LimitedKey, ::testing::ValuesIn(waits()),
                         [](const auto& one) { return one.param.name; });

TEST_F(Credentials, F37WhenAllKeysRestTheClientHearsForHowLongAndNobodyIsAsked) {
  answer('a', limited().header("retry-after", "30"));
  answer('b', limited().header("retry-after", "20"));
  serve();
  start_two();
  EXPECT_TRUE(is_error(ask(chat_body()), 429, "rate_limit_exceeded"));
  EXPECT_EQ(keys(), "ab");
  const Response response = ask(chat_body());
  EXPECT_TRUE(is_error(response, 429, "rate_limit_exceeded"));
  EXPECT_GE(std::stoi(response.header("retry-after")), 15) << "until the first of them is back";
  EXPECT_LE(std::stoi(response.header("retry-after")), 20);
  EXPECT_TRUE(is_error(ask(stream_body()), 429, "rate_limit_exceeded"));
  EXPECT_EQ(keys(), "ab");
  EXPECT_EQ(target()["window_faults"], 0);
}

TEST_F(Credentials, F37AReloadDoesNotWakeAKeyThatRests) {
  answer('a', limited().header("retry-after", "30"));
  serve();
  start_two();
  EXPECT_EQ(ask(chat_body()).status, 200);
  reload();
  EXPECT_EQ(credential(0)["reason"], "cooling_down");
  EXPECT_EQ(ask(chat_body()).header("x-sluice-attempts"), "1");
  EXPECT_EQ(keys(), "abb");
}

class SpentQuota : public Credentials, public ::testing::WithParamInterface<std::string> {};

TEST_P(SpentQuota, F37SparesTheKeyUntilItsResetBeforeTheProviderSaysNo) {
  const std::string& what = GetParam();
  answer('a', Behaviour()
                  .json(chat_answer())
                  .header("x-ratelimit-remaining-" + what, "0")
                  .header("x-ratelimit-reset-" + what, "1500ms"));
  serve();
  start_two();
  const auto begun = Clock::now();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(ask(chat_body()).header("x-sluice-attempts"), "1");
  EXPECT_EQ(keys(), "abbb") << "a would have been every other";
  EXPECT_EQ(credential(0)["reason"], what + "_spent");
  EXPECT_EQ(credential(0)["cool_downs"], 0);
  ASSERT_TRUE(back(0));
  EXPECT_GE(Clock::now() - begun, kWait);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(ask(chat_body()).status, 200);
  EXPECT_NE(keys().substr(4).find('a'), std::string::npos) << keys();
}

INSTANTIATE_TEST_SUITE_P(Quota, SpentQuota, ::testing::Values("requests", "tokens"),
                         [](const auto& one) { return "Of" + one.param; });

}  // namespace
}  // namespace sluice::integration
