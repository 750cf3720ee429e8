// The exact cache: the key of a question, and finding an answer in memory.

#include <benchmark/benchmark.h>

#include "sluice/cache/memory_store.hpp"

namespace {

using namespace sluice;

// A chat of turns of about 300 bytes, with the escapes that texts have.
std::string chat_of(std::int64_t bytes) {
  std::string body = R"({"model":"gpt-4o","temperature":0,"max_tokens":512,"messages":[)";
  for (int turn = 0; body.size() + 300 < static_cast<std::size_t>(bytes); ++turn) {
    body += turn == 0 ? "" : ",";
    body += R"({"role":")" + std::string(turn % 2 == 0 ? "user" : "assistant") + R"(","content":"Line )";
    body += std::to_string(turn) + R"(\n)" + std::string(230, 'x') + R"( \"quoted\"."})";
  }
  return body + "]}";
}

const cache::KeyMaker& maker() {
  static const cache::KeyMaker made{Secret("bench")};
  return made;
}

void cache_key(benchmark::State& state) {
  const std::string body = chat_of(state.range(0));
  const auto view = api::parse_request(Endpoint::kChat, body);
  if (!view) return state.SkipWithError("the body is refused");
  const auto scope = cache::Scope::of_key("app", "id");
  for (auto _ : state) benchmark::DoNotOptimize(maker().make(scope, Endpoint::kChat, {"chat", 7}, *view));
}
BENCHMARK(cache_key)->Arg(2048)->Arg(34 * 1024);

cache::EntryPtr entry_of(std::size_t bytes) {
  auto entry = std::make_shared<cache::Entry>();
  entry->body = std::string(bytes, 'x');
  entry->stale_until_unix_ms = 1'000'000;
  return entry;
}

cache::Key key_of(int number) {
  const std::string body =
      R"({"model":"m","messages":[{"role":"user","content":"x"}],"seed":)" + std::to_string(number) + "}";
  const auto view = api::parse_request(Endpoint::kChat, body);
  return maker().make(cache::Scope::of_machine(), Endpoint::kChat, {"m", 1}, *view);
}

void memory_find(benchmark::State& state) {
  cache::MemoryStore store(std::size_t{256} << 20);
  std::vector<cache::Key> keys;
  for (int i = 0; i < 10'000; ++i) store.store(keys.emplace_back(key_of(i)), entry_of(1500));
  std::size_t at = 0;
  for (auto _ : state) benchmark::DoNotOptimize(store.find(keys[at++ * 7919 % keys.size()], 0));
}
BENCHMARK(memory_find);

void memory_store(benchmark::State& state) {
  cache::MemoryStore store(std::size_t{16} << 20);
  std::vector<cache::Key> keys;
  for (int i = 0; i < 50'000; ++i) keys.push_back(key_of(i));
  const auto entry = entry_of(1500);
  std::size_t at = 0;
  for (auto _ : state) store.store(keys[at++ % keys.size()], entry);
}
BENCHMARK(memory_store);

}  // namespace
