#pragma once
// An answer in its other form: a stream as one body, and one body as a stream. Members that nobody knows survive;
// strings and numbers keep the bytes they came with. Shapes: OpenAI API reference, "The chat completion object", "The
// chat completion chunk object" and their siblings, "Streaming events" of the Responses API. Pure; any thread.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/core/endpoint.hpp"
#include "sluice/core/usage.hpp"

namespace sluice::cache {

// Whether answers of that endpoint come as streams at all.
bool has_streams(Endpoint endpoint);

// How many events these are, framed as sent.
std::uint64_t events_in(std::string_view events);

// The body of the answer whose events these are, framed as sent, without [DONE]; `usage_event` is the one that carries
// its usage, framed, or empty. Nothing: these are no events of a complete answer.
std::optional<std::string> body_of(Endpoint endpoint, std::string_view events, std::string_view usage_event);

// The events of a complete answer, framed, without usage and [DONE]. Nothing: there is no such form of it.
std::optional<std::vector<std::string>> events_of(Endpoint endpoint, std::string_view body);

// The event with which a stream tells its usage: that of `body`, or what is known of the answer whose `events` these
// are. Empty: the endpoint tells it otherwise, or nothing is known.
std::string usage_event_of_body(Endpoint endpoint, std::string_view body);
std::string usage_event_of(Endpoint endpoint, std::string_view events, const Usage& usage);

// Takes [DONE] out of framed events, and the event that carries usage and no choice, which is put into `usage_event`.
// Nothing: neither is in there.
std::optional<std::string> without_end(Endpoint endpoint, std::string_view events, std::string& usage_event);

}  // namespace sluice::cache
