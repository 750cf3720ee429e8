#pragma once
// Tokens counted here when nobody reports them. Cheap and rough (±30 %): a token per four ASCII characters, one per
// other character, a few per message.

#include <cstdint>
#include <string_view>

#include "sluice/api/request_view.hpp"

namespace sluice::api {

std::int64_t estimate_tokens(std::string_view text);
// The request's own text: messages, prompt or input, instructions and tools. Never base64 data.
std::int64_t estimate_input_tokens(const RequestView& view);

// The same or somewhat more, for a fraction of the work: a longer body whose contents are plain strings counts whole,
// its framing included. For reservations.
std::int64_t reserve_input_tokens(const RequestView& view);

}  // namespace sluice::api
