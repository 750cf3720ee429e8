// What an upstream has answered, given again in another form. The first byte says of which endpoint (0 chat, 1
// completions, 2 responses), bit 2 whether the rest is a body, or events as they were relayed.

#include "cache/recast.hpp"
#include "fuzz/fuzz.hpp"
#include "sluice/api/json.hpp"
#include "sluice/sse/decoder.hpp"

namespace sluice::fuzz {
namespace {

constexpr std::size_t kMost = std::size_t{1} << 16;

bool is_json(std::string_view text) { return json::check(text, json::Surrogates::kAny).has_value(); }

// Whoever plays them sends what clients can read.
void check_events(const std::vector<std::string>& events) {
  for (const std::string& event : events) {
    sse::Decoder decoder(event.size() + 1);
    std::size_t count = 0;
    const bool fed = decoder
                         .feed(event,
                               [&](const sse::Event& one) {
                                 ++count;
                                 require(is_json(one.data), "an event that was made is JSON");
                                 return true;
                               })
                         .has_value();
    require(fed && count == 1, "what was framed is one event");
    require(cache::events_in(event) == 1, "and counts as one");
  }
}

void from_body(Endpoint endpoint, std::string_view body) {
  if (!json::check(body)) return;  // the relay lets nothing else through
  cache::usage_event_of_body(endpoint, body);
  const auto events = cache::events_of(endpoint, body);
  if (!events) return;
  check_events(*events);
  std::string all;
  for (const std::string& event : *events) all += event;
  const auto again = cache::body_of(endpoint, all, {});
  if (again) require(is_json(*again), "and goes back to a body");
}

void from_events(Endpoint endpoint, std::string_view events) {
  std::string usage_event;
  const auto rest = cache::without_end(endpoint, events, usage_event);
  const std::string kept = rest ? *rest : std::string(events);
  const auto body = cache::body_of(endpoint, kept, usage_event);
  cache::usage_event_of(endpoint, kept, {.input = 1, .output = 2, .source = UsageSource::kReported});
  if (!body) return;
  require(is_json(*body), "a body that was made is JSON");
  if (const auto back = cache::events_of(endpoint, *body)) check_events(*back);
}

}  // namespace

void test(const Input& input) {
  if (input.bytes.empty() || input.bytes.size() > kMost) return;
  constexpr Endpoint kEndpoints[] = {Endpoint::kChat, Endpoint::kCompletions, Endpoint::kResponses, Endpoint::kChat};
  const auto how = static_cast<unsigned char>(input.bytes.front());
  const std::string_view rest = input.bytes.substr(1);
  how & 4U ? from_body(kEndpoints[how & 3U], rest) : from_events(kEndpoints[how & 3U], rest);
}

}  // namespace sluice::fuzz
