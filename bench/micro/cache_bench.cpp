// The exact cache: from a request that has been read to its key, and what the store in memory costs beside that.

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "sluice/api/canonical.hpp"
#include "sluice/api/request_view.hpp"
#include "sluice/cache/key.hpp"
#include "sluice/cache/memory_store.hpp"
#include "texts.hpp"

namespace {

using namespace sluice;
using namespace sluice::cache;

constexpr std::int64_t kNow = 1'795'236'816'000;

std::string body_of(std::int64_t bytes) {
  const std::string request = bench::chat_request(
      {.body_bytes = static_cast<std::size_t>(bytes), .stream = false, .label = {}, .interval_ms = 0});
  return request.substr(request.find("\r\n\r\n") + 4);
}

// As `escaped` says, with the line feeds, quotation marks and \u of ordinary chats, or without any.
std::string body_of(std::int64_t bytes, bool escaped) {
  std::string body = body_of(bytes);
  if (escaped) return body;
  for (std::size_t at = body.find('\\'); at != body.npos; at = body.find('\\', at)) body.replace(at, 2, "  ");
  return body;
}

const KeyMaker& maker() {
  static const KeyMaker made{Secret("a secret")};
  return made;
}

void cache_key(benchmark::State& state) {
  const std::string body = body_of(state.range(0), state.range(1) != 0);
  const auto view = api::parse_request(Endpoint::kChat, body);
  if (!view) return state.SkipWithError("the body is refused");
  const Scope scope = Scope::of_key("search-web", "bench0000001");
  for (auto _ : state) benchmark::DoNotOptimize(maker().make(scope, Endpoint::kChat, {"bench", 1}, *view));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}
BENCHMARK(cache_key)->ArgNames({"bytes", "escapes"})->ArgsProduct({{2000, 34000}, {0, 1}});

// The parts of it.
void cache_canonical(benchmark::State& state) {
  const std::string body = body_of(state.range(0), state.range(1) != 0);
  const auto value = json::check(body);
  if (!value) return state.SkipWithError("the body is no JSON");
  std::string out;
  for (auto _ : state) {
    out.clear();
    json::append_canonical(out, *value);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}
BENCHMARK(cache_canonical)->ArgNames({"bytes", "escapes"})->ArgsProduct({{2000, 34000}, {0, 1}});

void cache_seal(benchmark::State& state) {
  const std::string body = body_of(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(maker().seal("bench", body));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}
BENCHMARK(cache_seal)->ArgName("bytes")->Arg(2000)->Arg(34000);

std::vector<Key> keys(std::int64_t count) {
  std::vector<Key> made;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string body =
        R"({"model":"m","messages":[{"role":"user","content":"hi"}],"seed":)" + std::to_string(i) + "}";
    made.push_back(
        maker().make(Scope::of_machine(), Endpoint::kChat, {"m", 1}, *api::parse_request(Endpoint::kChat, body)));
  }
  return made;
}

EntryPtr entry() {
  Entry made{.body = bench::chat_answer(1000), .finish_reason = "stop", .provider = "up", .model = "bench"};
  made.created_unix_ms = kNow;
  made.expires_unix_ms = made.stale_until_unix_ms = kNow + 600'000;
  return std::make_shared<const Entry>(std::move(made));
}

constexpr std::int64_t kKeys = 10'000;

// All threads ask for all entries, each in an order of its own.
void cache_find(benchmark::State& state) {
  static const std::vector<Key> known = keys(kKeys);
  static MemoryStore& store = *[] {
    static MemoryStore made(std::size_t{256} << 20);
    for (const Key& key : known) made.store(key, entry());
    return &made;
  }();
  std::size_t at = static_cast<std::size_t>(state.thread_index()) * 4999;
  for (auto _ : state) {
    const EntryPtr found = store.find(known[at], kNow);
    if (!found) state.SkipWithError("it is not there");
    at = (at + 7919) % known.size();
  }
}
BENCHMARK(cache_find)->Threads(1)->Threads(2);

void cache_find_nothing(benchmark::State& state) {
  const std::vector<Key> unknown = keys(kKeys);
  MemoryStore store(std::size_t{256} << 20);
  std::size_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(store.find(unknown[at], kNow));
    at = (at + 7919) % unknown.size();
  }
}
BENCHMARK(cache_find_nothing);

// There is room for a tenth of them: each that comes makes one go.
void cache_store(benchmark::State& state) {
  const std::vector<Key> many = keys(kKeys);
  const EntryPtr one = entry();
  MemoryStore store(kKeys / 10 * weight_of(*one));
  std::size_t at = 0;
  for (auto _ : state) {
    store.store(many[at], one);
    at = (at + 1) % many.size();
  }
}
BENCHMARK(cache_store);

}  // namespace
