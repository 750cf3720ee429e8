// Bodies made to be slow to check, one MiB each: the gate must stay under 50 ms for every one of them.

#include <benchmark/benchmark.h>

#include <string>
#include <utility>
#include <vector>

#include "sluice/api/json.hpp"
#include "sluice/api/request_view.hpp"

namespace {

using namespace sluice;

constexpr std::size_t kMebibyte = 1024 * 1024;

// `piece(i)` again and again between brackets, up to one MiB.
template <class Piece>
std::string filled(std::string open, Piece piece, const std::string& close) {
  for (std::size_t i = 0; open.size() < kMebibyte; ++i) {
    if (i > 0) open += ',';
    open += piece(i);
  }
  return open + close;
}

std::string quoted_number(std::size_t i) { return '"' + std::to_string(i) + '"'; }

// A key of four letters per number: `"abcd"`.
std::string short_key(std::size_t i) {
  std::string key = "\"    \"";
  for (std::size_t at = 1; at <= 4; ++at, i /= 62) {
    key[at] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"[i % 62];
  }
  return key;
}

// Small objects whose names all have the same length and ends.
std::string look_alikes(std::size_t) {
  return filled(
             "{", [](std::size_t i) { return "\"a" + std::string(1, static_cast<char>('A' + i % 24)) + "z\":0"; }, "")
             .substr(0, 24 * 8) +
         "}";
}

std::string nested(std::size_t) { return std::string(60, '[') + std::string(60, ']'); }
std::string nested_objects(std::size_t) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "{\"a\":";
  return text + "0" + std::string(60, '}');
}

std::string object_of(std::size_t members, std::size_t seed) {
  std::string text = "{";
  for (std::size_t i = 0; i < members; ++i) text += (i > 0 ? "," : "") + short_key(seed + i * 7919) + ":0";
  return text + "}";
}

const std::vector<std::pair<std::string, std::string>>& bodies() {
  static const std::vector<std::pair<std::string, std::string>> kBodies = {
      {"space", std::string(kMebibyte, ' ') + "{}"},
      {"plain string", "\"" + std::string(kMebibyte, 'x') + "\""},
      {"u escapes", filled(
                        "[\"", [](std::size_t) { return std::string("\\u0041"); }, "\"]")},
      {"n escapes", filled(
                        "[\"", [](std::size_t) { return std::string("\\n"); }, "\"]")},
      {"three-byte text", filled(
                              "[\"", [](std::size_t) { return std::string("\xe5\x8c\x97"); }, "\"]")},
      {"one-digit numbers", filled(
                                "[", [](std::size_t) { return std::string("1"); }, "]")},
      {"numbers", filled(
                      "[", [](std::size_t i) { return std::to_string(i); }, "]")},
      {"numbers at the edge", filled(
                                  "[", [](std::size_t) { return std::string("9007199254740993e292"); }, "]")},
      {"exponents", filled(
                        "[", [](std::size_t) { return std::string("1e300"); }, "]")},
      {"long numbers", filled(
                           "[", [](std::size_t) { return std::string(400, '7') + "e-99"; }, "]")},
      {"empty objects", filled(
                            "[", [](std::size_t) { return std::string("{}"); }, "]")},
      {"objects of 1", filled(
                           "[", [](std::size_t) { return std::string("{\"a\":0}"); }, "]")},
      {"objects of 24", filled(
                            "[", [](std::size_t i) { return object_of(24, i); }, "]")},
      {"objects of 25", filled(
                            "[", [](std::size_t i) { return object_of(25, i); }, "]")},
      {"objects of 300", filled(
                             "[", [](std::size_t i) { return object_of(300, i); }, "]")},
      {"look-alike names", filled("[", look_alikes, "]")},
      {"nested lists", filled("[", nested, "]")},
      {"nested objects", filled("[", nested_objects, "]")},
      {"short names", filled(
                          "[{", [](std::size_t i) { return short_key(i) + ":0"; }, "}]")},
      {"short names shuffled", filled(
                                   "[{", [](std::size_t i) { return short_key(i * 7'919'993) + ":0"; }, "}]")},
      {"number names", filled(
                           "[{", [](std::size_t i) { return quoted_number(i) + ":0"; }, "}]")},
      {"escaped names", filled(
                            "[{", [](std::size_t i) { return "\"\\u006b" + std::to_string(i) + "\":0"; }, "}]")},
      {"long names, one prefix",
       filled(
           "[{", [](std::size_t i) { return "\"" + std::string(1000, 'p') + std::to_string(i) + "\":0"; }, "}]")},
  };
  return kBodies;
}

void hostile_check(benchmark::State& state) {
  const auto& [name, body] = bodies()[static_cast<std::size_t>(state.range(0))];
  state.SetLabel(name);
  if (!json::check(body)) return state.SkipWithError("the body is refused");
  for (auto _ : state) benchmark::DoNotOptimize(json::check(body));
}
BENCHMARK(hostile_check)->DenseRange(0, 22)->Unit(benchmark::kMillisecond);

// The whole gate: members that nobody knows, with names that cost the most to compare.
void hostile_request(benchmark::State& state) {
  std::string body = R"({"model":"m","messages":[{"role":"user"}])";
  const std::string name = state.range(0) == 0 ? "\\u006d\\u006fde" : "mode";
  for (std::size_t i = 0; body.size() < kMebibyte && i < 60'000; ++i) {
    body += ",\"" + name + std::to_string(i) + "\":0";
  }
  body += '}';
  if (!api::parse_request(Endpoint::kChat, body)) return state.SkipWithError("the body is refused");
  for (auto _ : state) benchmark::DoNotOptimize(api::parse_request(Endpoint::kChat, body));
  state.SetLabel(state.range(0) == 0 ? "escaped members" : "members");
}
BENCHMARK(hostile_request)->DenseRange(0, 1)->Unit(benchmark::kMillisecond);

// One member whose name is all escapes.
void hostile_name(benchmark::State& state) {
  std::string body = R"({"model":"m","messages":[{"role":"user"}],")";
  while (body.size() < kMebibyte) body += "\\u0041";
  body += "\":0}";
  if (!api::parse_request(Endpoint::kChat, body)) return state.SkipWithError("the body is refused");
  for (auto _ : state) benchmark::DoNotOptimize(api::parse_request(Endpoint::kChat, body));
}
BENCHMARK(hostile_name)->Unit(benchmark::kMillisecond);

}  // namespace
