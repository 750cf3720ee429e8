#pragma once
// A shared ledger alone with a Redis whose clock stands still until it is moved. All harnesses of a program share one
// server, by prefixes of their own.

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "../fakes.hpp"
#include "ledger_suite.hpp"
#include "memory_harness.hpp"
#include "sluice/limit/redis_ledger.hpp"
#include "support/redis_server.hpp"

namespace sluice::limit {

inline support::RedisServer& redis_server() {
  static support::RedisServer server;
  return server;
}

// SLUICE_SCALE: how often something is done where more is better.
inline unsigned from_environment(const char* name, unsigned otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? static_cast<unsigned>(std::max(1, std::atoi(value))) : otherwise;
}
inline unsigned scale() { return from_environment("SLUICE_SCALE", 1); }

inline redis::Settings settings_for(std::uint16_t port) {
  redis::Settings settings;
  settings.endpoints = {{"127.0.0.1", port}};
  settings.deadline = settings.connect_timeout = milliseconds(20'000);  // more patience than a busy machine needs
  settings.probe_interval = milliseconds(20);
  return settings;
}

inline std::string fresh_prefix() {
  static int made = 0;
  return "test" + std::to_string(++made);
}

class RedisHarness final : public LedgerHarness {
 public:
  explicit RedisHarness(RedisLedgerOptions options = {}) {
    client_ = *redis::make_client(io_, settings_for(redis_server().port()), nullptr);
    if (options.prefix == "sluice") options.prefix = fresh_prefix();
    options.lease = std::chrono::days(1000);  // clocks jump
    options.deadline = milliseconds(20'000);
    options.clock = [this] { return now(); };
    ledger_ = make_redis_ledger(*memory_, std::move(options));
    ledger_->attach(io_, *client_);
  }
  ~RedisHarness() override {
    run(milliseconds(0), [this] { return ledger_->counts().waiting == 0; });
    ledger_.reset();
    run(milliseconds(0), [] { return false; });
  }

  Ledger& ledger() override { return *ledger_; }
  RedisLedger& shared() { return *ledger_; }
  redis::Client& client() { return *client_; }
  net::io_context& io() { return io_; }

  Verdict admit(const std::vector<Take>& takes) override {
    settled();
    auto verdict = fakes::run_on(io_, ledger_->admit(takes, now()));
    if (verdict && *verdict) return std::move(**verdict);
    ADD_FAILURE() << (verdict ? verdict->error().detail : "no verdict");
    return Refusal{};
  }
  Standing look(const Limit& limit) override {
    settled();
    auto standings = fakes::run_on(io_, ledger_->look({&limit}, now()));
    if (standings && *standings) return (**standings)[0];
    ADD_FAILURE() << (standings ? standings->error().detail : "no standing");
    return {};
  }
  void advance(milliseconds by) override {
    settled();
    elapsed_ += by;
  }
  WallTime now() const override { return kSaturday + elapsed_; }
  nanoseconds late(std::chrono::seconds window) const override { return nanoseconds(window) / 20; }
  bool extends() const override { return false; }
  unsigned courses() const override { return 5 * scale(); }

  // Redis has been told of all that was settled.
  void settled() {
    EXPECT_TRUE(run(milliseconds(20'000), [this] { return ledger_->counts().waiting == 0; }));
  }
  // Runs the loop until `condition` holds; false if it does not in time.
  template <class Condition>
  bool run(milliseconds bound, Condition condition) {
    for (const auto stop = Clock::now() + bound; !condition();) {
      io_.restart();
      io_.run_one_for(milliseconds(2));
      if (Clock::now() > stop) return condition();
    }
    return true;
  }

 private:
  milliseconds elapsed_{0};
  net::io_context io_;
  std::unique_ptr<redis::Client> client_;
  const std::unique_ptr<MemoryLedger> memory_ = make_memory_ledger({.keep_changes = false});
  std::unique_ptr<RedisLedger> ledger_;
};

}  // namespace sluice::limit
