// F70 under load: a thousand reloads, half of them of files that are no configuration, and no request notices.

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <random>

#include "concurrency/steady_load.hpp"

namespace sluice::integration {
namespace {

namespace fs = std::filesystem;

constexpr const char* kReloads = "sluice_config_reloads_total";
constexpr const char* kOk = "result=\"ok\"";
constexpr const char* kFailed = "result=\"failed\"";

class ReloadLoad : public GatewayTest {
 protected:
  ReloadLoad() : GatewayTest(UpstreamOptions{.keep_requests = false}) {}

  void SetUp() override {
    upstream_.set_script([](const ObservedRequest& request) {
      return request.body.contains("\"stream\":true") ? Behaviour().stream(chat_stream({"a", "b"}))
                                                      : Behaviour().json(chat_answer());
    });
    start({.workers = 2});
  }

  // A good configuration, different for every number.
  std::string good(int number) {
    return config_text({.workers = 2,
                        .provider = "headers: {x-generation: \"" + std::to_string(number) + "\"}",
                        .providers = "  tls: {dialect: openai, base_url: \"https://127.0.0.1:1/v1\"}\n",
                        .models = "m: up/upstream-model, n" + std::to_string(number) + ": tls/x"},
                       upstream_.url());
  }
  // Files that must be refused, each in a way of its own; empty stands for a file that is not there.
  std::vector<std::string> bad() {
    const std::string text = good(0);
    std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
    for (int i = 1; i < 9; ++i) {
      const std::string last = "*a" + std::to_string(i - 1);
      bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last + "," + last + "," + last + "]\n";
    }
    return {"",
            "server: [",
            text.substr(0, text.find('}') / 2),
            text + "unknown_key: 1\n",
            text + "models: {m: up/x}\n",
            config_text({.provider = "headers: {x: \"${SLUICE_NO_SUCH_VARIABLE}\"}"}, upstream_.url()),
            config_text({.timeouts = "connect: soon"}, upstream_.url()),
            config_text({.models = "m: nowhere/x"}, upstream_.url()),
            config_text({.base_url = "https://127.0.0.1:1", .provider = "tls: {ca_file: /no/such/file.pem}"}, ""),
            bomb + text,
            std::string("\0\1\2", 3),
            "models: \"\xff\xfe\"\n"};
  }

  // As different editors do it.
  void save(const std::string& text, bool in_place) {
    const fs::path file = gateway().config_path();
    const fs::path next = gateway().directory().path("gateway.yaml.new");
    if (text.empty()) {
      fs::remove(file);
    } else if (in_place) {
      gateway().replace_config(text);
    } else {
      gateway().directory().write("gateway.yaml.new", in_directory(text));
      fs::rename(next, file);
    }
  }
  std::string in_directory(std::string text) {
    for (std::size_t at = 0; (at = text.find("{DIR}", at)) != std::string::npos;) {
      text.replace(at, 5, gateway().directory().path());
    }
    return text;
  }

  // How long it took until the reload had been tried.
  milliseconds reload() {
    const double before = gateway().metrics().sum(kReloads);
    const auto asked = Clock::now();
    gateway().signal(SIGHUP);
    EXPECT_TRUE(eventually([&] { return gateway().metrics().sum(kReloads) > before; }));
    return std::chrono::ceil<milliseconds>(Clock::now() - asked);
  }
  // The value of the only label of sluice_config_info.
  std::string hash_in_force() {
    for (const auto& [series, value] : gateway().metrics().values()) {
      if (series.starts_with("sluice_config_info")) return series;
    }
    return {};
  }
};

TEST_F(ReloadLoad, F70ReloadsUnderLoadFailNoRequest) {
  const int rounds = scaled(10);
  const auto refused = bad();
  std::vector<milliseconds> took;
  ASSERT_EQ(get("/v1/models").status, 200);
  const std::size_t fds = gateway().open_fds();
  SteadyLoad load({.port = gateway().port()});
  for (int i = 0; i < rounds; ++i) {
    save(good(i), i % 2 == 0);
    took.push_back(reload());
    const std::string hash = hash_in_force();
    save(refused.at(static_cast<std::size_t>(i) % refused.size()), i % 3 == 0);
    took.push_back(reload());
    ASSERT_EQ(hash_in_force(), hash) << "a refused file changed something";
  }
  load.stop();
  const Metrics metrics = gateway().metrics();
  EXPECT_EQ(metrics.sum(kReloads, {kOk}), rounds);
  EXPECT_EQ(metrics.sum(kReloads, {kFailed}), rounds);
  EXPECT_EQ(load.failed(), 0) << load.first_failure();
  EXPECT_GT(load.requests(), rounds);
  std::ranges::sort(took);
  EXPECT_LE(took[took.size() / 2], 4 * abort_bound()) << "the slowest " << took.back().count() << " ms";
  RecordProperty("requests", load.requests());
  RecordProperty("reload_ms_p50", static_cast<int>(took[took.size() / 2].count()));
  RecordProperty("reload_ms_max", static_cast<int>(took.back().count()));
  RecordProperty("resident_kib", static_cast<int>(gateway().resident_bytes() / 1024));
  EXPECT_EQ(get("/v1/models/n" + std::to_string(rounds - 1)).status, 200) << "the last good one is in force";
  EXPECT_TRUE(eventually([&] { return gateway().open_fds() <= fds + 16; })) << gateway().open_fds() << " > " << fds;
}

// An editor that writes in place is caught in the middle; signals come faster than they can be served.
TEST_F(ReloadLoad, F70AHalfWrittenFileAndAStormOfSignalsEndWithTheLastGoodFile) {
  SteadyLoad load({.port = gateway().port()});
  std::mt19937 random(7);
  const int rounds = scaled(5);
  for (int i = 0; i < rounds; ++i) {
    const std::string text = good(i);
    gateway().replace_config(text.substr(0, random() % text.size()));
    gateway().signal(SIGHUP);
    gateway().replace_config(text);
    for (int j = 0; j < 10; ++j) gateway().signal(SIGHUP);
  }
  EXPECT_TRUE(eventually([&] { return get("/v1/models/n" + std::to_string(rounds - 1)).status == 200; }));
  load.stop();
  EXPECT_EQ(load.failed(), 0) << load.first_failure();
}

}  // namespace
}  // namespace sluice::integration
