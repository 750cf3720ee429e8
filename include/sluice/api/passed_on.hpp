#pragma once
// What of a client's request goes to the upstream beside its body. Everything else stays here, above all its
// credential. Pure; any thread.

#include <string_view>

namespace sluice::api {

// Whether a header field of that name is passed on.
bool is_passed_on(std::string_view field);
// Whether such a field can make the answer another one, and not only say who asks.
bool shapes_answer(std::string_view field);

}  // namespace sluice::api
