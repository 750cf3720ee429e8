// The request path: what is done to each byte of a head and a body before it is forwarded.

#include <benchmark/benchmark.h>

#include "sluice/api/json.hpp"
#include "sluice/api/request_view.hpp"
#include "sluice/http/head.hpp"
#include "texts.hpp"

namespace {

using namespace sluice;

std::string body_of(std::int64_t bytes) {
  const std::string request = bench::chat_request(
      {.body_bytes = static_cast<std::size_t>(bytes), .stream = true, .label = "bench", .interval_ms = 0});
  return request.substr(request.find("\r\n\r\n") + 4);
}

void count_bytes(benchmark::State& state, std::size_t each) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(each));
}

void json_check(benchmark::State& state) {
  const std::string body = body_of(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(json::check(body));
  count_bytes(state, body.size());
}
BENCHMARK(json_check)->Arg(1500)->Arg(32000);

void parse_request(benchmark::State& state) {
  const std::string body = body_of(state.range(0));
  if (!api::parse_request(Endpoint::kChat, body)) return state.SkipWithError("the body is refused");
  for (auto _ : state) benchmark::DoNotOptimize(api::parse_request(Endpoint::kChat, body));
  count_bytes(state, body.size());
}
BENCHMARK(parse_request)->Arg(1500)->Arg(32000);

void edit_model(benchmark::State& state) {
  const std::string body = body_of(1500);
  const auto view = api::parse_request(Endpoint::kChat, body);
  const api::Rewrite rewrite{.model = "gpt-4o-mini-2024-07-18", .force_usage = true};
  for (auto _ : state) {
    const auto edits = api::plan_edits(*view, rewrite);
    benchmark::DoNotOptimize(api::apply(body, edits));
  }
}
BENCHMARK(edit_model);

void request_head(benchmark::State& state) {
  const std::string request = bench::chat_request({.body_bytes = 1500, .stream = false, .label = {}, .interval_ms = 0});
  const http::HeadLimits limits;
  for (auto _ : state) {
    http::HeadScanner scanner(http::HeadScanner::Side::kRequest, limits);
    const auto size = scanner.scan(request);
    benchmark::DoNotOptimize(http::parse_request_head(std::string_view(request).substr(0, **size), limits));
  }
}
BENCHMARK(request_head);

}  // namespace
