// Deciding by rules: what the dearest facts of a prompt cost.

#include <benchmark/benchmark.h>

#include "routing/rules.hpp"

namespace {

using namespace sluice;

// English with a reasoning word here and there and a block of code.
std::string prompt_of(std::size_t bytes) {
  static constexpr std::string_view kText =
      "The service reads events from a queue and writes them to a table. Explain why it must never lose one, and "
      "compare two ways to make it faster without more memory than at most 64 MiB. Who owns the lock then?\\n"
      "```python\\ndef drain(queue):\\n    for event in queue:\\n        table.write(event)\\n```\\n";
  std::string text;
  while (text.size() < bytes) text += kText;
  return R"({"model":"auto","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":")" +
         text.substr(0, text.rfind('.', bytes)) + R"("}]})";
}

void complexity(benchmark::State& state) {
  const std::string body = prompt_of(static_cast<std::size_t>(state.range(0)));
  const auto view = api::parse_request(Endpoint::kChat, body);
  if (!view) return state.SkipWithError("the body is refused");
  for (auto _ : state) {
    const routing::Facts facts({.view = *view});
    benchmark::DoNotOptimize(facts.complexity().score());
  }
}
BENCHMARK(complexity)->Arg(200)->Arg(2000)->Arg(32'000)->Arg(1'000'000);

config::Rule rule(config::Condition condition) { return {.name = "r", .when = {std::move(condition)}, .use = "m"}; }

void choose_by_cheap_facts(benchmark::State& state) {
  const std::string body = prompt_of(2000);
  const auto view = api::parse_request(Endpoint::kChat, body);
  const routing::Rules rules({rule({.fact = config::Fact::kStream, .present = true}),
                              rule({.fact = config::Fact::kTurns, .spans = {{.least = 20}}}),
                              rule({.fact = config::Fact::kGroup, .globs = {"acme/*"}}),
                              {.name = "all", .when = {}, .use = "m"}});
  for (auto _ : state) {
    const routing::Facts facts({.view = *view});
    benchmark::DoNotOptimize(routing::choose(rules, facts));
  }
}
BENCHMARK(choose_by_cheap_facts);

}  // namespace
