// The event path: what is done to each event of a stream between one receive and one send.

#include <benchmark/benchmark.h>

#include <span>

#include "sluice/api/answer.hpp"
#include "sluice/http/chunk_decoder.hpp"
#include "sluice/sse/decoder.hpp"
#include "texts.hpp"

namespace {

using namespace sluice;

// One content event as the upstream sends it: an HTTP chunk with "data: …\n\n" in it.
std::string chunked_event() { return std::string(bench::ContentEvent().stamped(bench::Clock::now())); }

std::string plain_event() {
  const std::string chunk = chunked_event();
  const std::size_t from = chunk.find("\r\n") + 2;
  return chunk.substr(from, chunk.size() - 2 - from);
}

void chunk_decode(benchmark::State& state) {
  const std::string original = chunked_event();
  std::string bytes = original;
  http::ChunkDecoder decoder;
  for (auto _ : state) {
    bytes = original;  // decoding happens in place
    benchmark::DoNotOptimize(decoder.decode(std::span(bytes)));
  }
}
BENCHMARK(chunk_decode);

void sse_decode(benchmark::State& state) {
  const std::string bytes = plain_event();
  sse::Decoder decoder(1 << 20);
  std::size_t seen = 0;
  const sse::Decoder::Sink sink = [&seen](const sse::Event& event) {
    seen += event.data.size();
    return true;
  };
  for (auto _ : state) benchmark::DoNotOptimize(decoder.feed(bytes, sink));
  if (seen == 0) state.SkipWithError("no event");
}
BENCHMARK(sse_decode);

void stream_state(benchmark::State& state) {
  const std::string event = plain_event();
  const std::string_view data = std::string_view(event).substr(6, event.size() - 8);
  api::StreamState stream({});
  if (!stream.event("", data)) return state.SkipWithError("the event is refused");
  for (auto _ : state) benchmark::DoNotOptimize(stream.event("", data));
}
BENCHMARK(stream_state);

}  // namespace
