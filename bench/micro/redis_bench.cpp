// What a command costs this side of the connection: the CPU column. Needs a server: REDIS_PORT=6379 micro_bench
// --benchmark_filter=redis. Without one, nothing is measured.

#include <benchmark/benchmark.h>

#include <boost/asio/co_spawn.hpp>
#include <cstdlib>
#include <string>

#include "sluice/redis/client.hpp"

namespace {

using namespace sluice;

class Connected {
 public:
  Connected() {
    const char* port = std::getenv("REDIS_PORT");
    if (port == nullptr) return;
    redis::Settings settings;
    settings.endpoints = {{"127.0.0.1", static_cast<std::uint16_t>(std::atoi(port))}};
    settings.deadline = milliseconds(1000);
    client = std::move(redis::make_client(io, settings, {}).value());
    for (int i = 0; i < 1000 && !client->counts().connected; ++i) io.run_one_for(milliseconds(10));
    if (!client->counts().connected) client.reset();
  }

  // Starts `count` commands, and runs the loop until all have got their replies.
  template <class Start>
  bool round(int count, const Start& start) {
    int left = count;
    bool good = true;
    for (int i = 0; i < count; ++i) {
      net::co_spawn(io, start(*client), [&](const std::exception_ptr& thrown, const Result<redis::Reply>& reply) {
        good = good && !thrown && reply;
        --left;
      });
    }
    while (left > 0) io.run_one();
    return good;
  }

  net::io_context io{1};
  std::unique_ptr<redis::Client> client;
};

template <class Start>
void measure(benchmark::State& state, const Start& start) {
  Connected connected;
  if (!connected.client) return state.SkipWithError("no server at REDIS_PORT");
  const int count = static_cast<int>(state.range(0));
  for (auto _ : state) {
    if (!connected.round(count, start)) return state.SkipWithError("a command failed");
  }
  state.SetItemsProcessed(state.iterations() * count);
}

void redis_ping(benchmark::State& state) {
  measure(state, [](redis::Client& client) { return client.call({"PING"}, kNever); });
}
BENCHMARK(redis_ping)->Arg(1)->Arg(32);

void redis_evalsha(benchmark::State& state) {
  static const redis::Script script("return 1");
  static const std::string_view keys[] = {"{sluice}k"}, args[] = {"1", "60000"};
  measure(state, [](redis::Client& client) { return client.eval(script, keys, args, kNever); });
}
BENCHMARK(redis_evalsha)->Arg(1)->Arg(32);

// What a call costs while Redis is known not to serve. Port 1 of this machine is nobody's.
void redis_open(benchmark::State& state) {
  net::io_context io{1};
  redis::Settings settings;
  settings.endpoints = {{"127.0.0.1", 1}};
  settings.probe_interval = std::chrono::hours(1);
  const auto client = std::move(redis::make_client(io, settings, {}).value());
  while (client->available()) io.run_one();
  for (auto _ : state) {
    bool over = false;
    net::co_spawn(io, client->call({"PING"}, kNever), [&](const std::exception_ptr&, const auto&) { over = true; });
    while (!over) io.run_one();
  }
}
BENCHMARK(redis_open);

}  // namespace
