#pragma once
// The shapes of OpenAI's answers around a given text. Sources: API reference, "The chat completion object" and its
// siblings, "Streaming events" of the Responses API.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sluice/api/request_view.hpp"

namespace sluice::provider {

struct StaticAnswer {
  std::string model;
  std::int64_t created = 0;
  std::int64_t input_tokens = 0;
  std::span<const std::string> words;  // one output token each
  bool cut = false;                    // the request's limit left out the rest
};

bool has_stream_shape(Endpoint endpoint);
std::string whole_shape(Endpoint endpoint, const StaticAnswer& answer);
// One event per piece; the usage chunk is always there.
std::vector<std::string> stream_shape(Endpoint endpoint, const StaticAnswer& answer);
// A vector per input, the same for the same text, of length 1.
std::string embeddings_shape(const api::RequestView& view, const StaticAnswer& answer);

}  // namespace sluice::provider
