#pragma once
// Errors on the wire: ours in the caller's dialect, and upstreams' in whatever shape they come.

#include <string>
#include <string_view>

#include "sluice/api/json.hpp"
#include "sluice/core/endpoint.hpp"
#include "sluice/core/error.hpp"

namespace sluice::api {

// OpenAI: {"error":{"message","type","param","code"}}, all four always there.
// Anthropic: {"type":"error","error":{"type","message"},"request_id"}; types follow the HTTP status.
std::string error_body(const Error& error, Dialect dialect, std::string_view request_id);

// One SSE frame, `data: {"error":{…}}\n\n`, for a stream that has begun.
std::string error_event(const Error& error);

// The answer of an upstream with an error status. Message, type, param and code are kept where they can be found in
// any of the known shapes; HTML and other text becomes a message of ours. 401, 402 and 403 are about the operator's
// account: kUpstreamAuth with nothing of the upstream's text. Other 4xx and 502 to 504 keep their status, 529 becomes
// 503, further 5xx become 502. Anything below 400 is kUpstreamInvalidResponse. `status` is the upstream's.
Error upstream_error(int status, std::string_view body);

// An error object inside a 200: `error` is the member's value, truthy, or a whole flat error object. The HTTP status
// comes from its code or type; 502 if they say nothing.
Error upstream_error_object(json::Value error);

// What the kind says, refined by the status where an upstream's own error is passed on: 408, 409, 429 and 5xx may
// go better elsewhere or later, other 4xx will not.
bool should_retry(const Error& error);   // for `x-should-retry`
bool may_fall_back(const Error& error);  // another target could do better

// Whether a value of an `error` member means that there is one: not null, false, "" or {}.
bool is_truthy(json::Value value);

}  // namespace sluice::api
