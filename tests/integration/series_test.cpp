// However many names there are, of clients' or in the configuration, /metrics stays within its bound.

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

using Series = GatewayTest;

constexpr int kModels = 400;

std::string name_of(int number) { return "m" + std::to_string(number); }

// As many models as would have three times the series that are allowed.
Scenario many_models() {
  Scenario scenario{.workers = 2, .more = "metrics: {max_series: 2000}\n"};
  scenario.models.clear();
  for (int i = 0; i < kModels; ++i) {
    scenario.models += (i > 0 ? ", " : "") + name_of(i) + ": up/" + name_of(i);
  }
  return scenario;
}

TEST_F(Series, F76F16NothingThatAClientNamesMakesASeries) {
  upstream_.on(kChat).json(chat_answer());
  start();
  RawClient one = client();
  const auto ask_on_one = [&one](const std::string& request) {
    EXPECT_TRUE(one.send(request));
    const Response response = one.read_response();
    EXPECT_NE(response.status, 0);
    if (response.header("connection") == "close") one.close();
    return response.status;
  };
  const auto hostile = [&](int number) {
    const std::string name = "n" + std::to_string(number) + "\\u0000\\\"} 1\\n";
    EXPECT_EQ(ask_on_one(post_request(kChat, chat_body(name))), 404);
    EXPECT_EQ(ask_on_one(post_request(kChat, chat_body("any-" + std::to_string(number)))), 200);
    EXPECT_EQ(ask_on_one(get_request("/v1/p" + std::to_string(number) + "?q=" + std::to_string(number))), 404);
    EXPECT_EQ(ask_on_one("M" + std::to_string(number) + " /v1/models HTTP/1.1\r\nhost: a\r\n\r\n"), 405);
  };
  constexpr int kFirst = 3;  // from the second one on a connection to the upstream serves again, which has a series
  for (int i = 0; i < kFirst; ++i) hostile(i);
  const auto before = gateway().metrics().values();
  const int count = scaled(250);
  for (int i = kFirst; i < count; ++i) hostile(i);
  const Metrics metrics = gateway().metrics();
  for (const auto& [name, value] : metrics.values()) EXPECT_TRUE(before.contains(name)) << name;
  EXPECT_EQ(metrics.series(), before.size());
  EXPECT_EQ(metrics.sum("sluice_requests_total"), 4 * count);
  EXPECT_EQ(metrics.sum("sluice_metrics_series_capped_total"), 0);
}

TEST_F(Series, F76NamesBeyondTheBoundAreOtherAndTotalsAreExact) {
  upstream_.on(kChat).json(chat_answer());
  start(many_models());
  RawClient clients[] = {client(), client(), client()};  // of which each worker is likely to get one
  std::map<std::string, double> before;
  int asked = 0;
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < kModels; i += 4) {
      RawClient& one = clients[static_cast<std::size_t>(i / 4 % 3)];
      ASSERT_TRUE(one.send(post_request(kChat, chat_body(name_of((i + round * 101) % kModels)))));
      ASSERT_EQ(one.read_response().status, 200);
      ++asked;
    }
    const Metrics metrics = gateway().metrics();
    EXPECT_LE(metrics.series(), 2000U);
    for (const auto& [name, value] : before) {
      const bool counts = name.find("_total") != name.npos || name.find("_bucket") != name.npos;
      const auto now = metrics.values().find(name);
      if (counts) ASSERT_TRUE(now != metrics.values().end() && now->second >= value) << name << " went back";
    }
    before = metrics.values();
  }
  const Metrics metrics = gateway().metrics();
  EXPECT_EQ(metrics.sum("sluice_requests_total"), asked);
  EXPECT_EQ(metrics.sum("sluice_upstream_attempts_total"), asked);
  EXPECT_EQ(metrics.sum("gen_ai_server_request_duration_seconds_count"), asked);
  EXPECT_EQ(metrics.sum("sluice_tokens_total", {"type=\"output\""}), 7 * asked);
  EXPECT_GT(metrics.sum("sluice_requests_total", {"endpoint=\"none\"", "model=\"other\""}), 0);
  EXPECT_GT(metrics.sum("sluice_metrics_series_capped_total", {"kind=\"model\""}), 0);
  EXPECT_GT(metrics.sum("sluice_metrics_series_capped_total", {"kind=\"histogram\""}), 0);
  EXPECT_TRUE(gateway().wait_output("metrics.max_series leaves no room for more model series"));
  const std::string log = gateway().output();
  const std::string told = "no room for more histogram series";
  EXPECT_EQ(log.find(told), log.rfind(told)) << "once";
  EXPECT_NE(log.find(told), log.npos);
  EXPECT_NE(metrics.values().find(R"(sluice_target_in{provider="other",model="other"})"), metrics.values().end());
}

TEST_F(Series, ANewBoundIsForTheNextStart) {
  Scenario scenario;
  start(scenario);
  scenario.more = "metrics: {max_series: 9000}\n";
  gateway().replace_config(config_text(scenario, upstream_.url()));
  gateway().signal(SIGHUP);
  EXPECT_TRUE(gateway().wait_output("metrics.max_series take effect at the next start only"));
  EXPECT_EQ(gateway().metrics().sum("sluice_metrics_max_series", {"kind=\"model\""}), 500);
}

}  // namespace
}  // namespace sluice::integration
