#pragma once
// Bodies as an OpenAI-compatible upstream sends them, and requests for them. All carry a mark (canary.hpp): answers one
// in an id or a fingerprint, requests one in the prompt.

#include <string>
#include <string_view>
#include <vector>

namespace sluice::support {

// {"id":"chatcmpl-…","object":"chat.completion",…} with usage 12 in, 7 out.
std::string chat_answer(std::string_view text = "Hello there.", std::string_view model = "upstream-model");
std::string tool_call_answer(std::string_view name, std::string_view arguments);

// One chat.completion.chunk each.
std::string role_chunk();
std::string text_chunk(std::string_view text);
std::string finish_chunk(std::string_view reason = "stop");
std::string usage_chunk(std::string_view usage = R"({"prompt_tokens":12,"completion_tokens":7,"total_tokens":19})");
std::string chunk(std::string_view choices, std::string_view more = "");
inline const std::string kDone = "[DONE]";

// Role, one chunk per text, finish, [DONE]. The variant with usage has the usage chunk before [DONE].
std::vector<std::string> chat_stream(const std::vector<std::string>& texts);
std::vector<std::string> chat_stream_with_usage(const std::vector<std::string>& texts);
std::vector<std::string> tool_call_stream();

std::string error_answer(std::string_view message, std::string_view type, std::string_view code);
// Of the vector 0.5, -1.25, 3, repeated `repeats` times.
std::string embeddings_answer(bool base64, std::size_t inputs = 1, std::size_t repeats = 1);
std::string responses_answer(std::string_view text);
std::string completion_answer(std::string_view text);
std::string moderation_answer();  // one flagged input

// The legacy completions stream as payloads, with the usage chunk if `usage`.
std::vector<std::string> completion_stream(const std::vector<std::string>& texts, bool usage);
// One output_text item as event-stream texts with their event names, response.created to response.completed.
std::vector<std::string> responses_stream(const std::vector<std::string>& texts);

// Request bodies towards the gateway.
std::string chat_body(std::string_view model = "m", std::string_view more = "");
std::string stream_body(std::string_view model = "m", std::string_view more = "");

}  // namespace sluice::support
