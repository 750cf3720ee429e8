#pragma once
// Bodies as an OpenAI-compatible upstream sends them.

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
std::string embeddings_answer(bool base64, std::size_t inputs = 1);  // of the vector 0.5, -1.25, 3
std::string responses_answer(std::string_view text);

// Request bodies towards the gateway.
std::string chat_body(std::string_view model = "m", std::string_view more = "");
std::string stream_body(std::string_view model = "m", std::string_view more = "");

}  // namespace sluice::support
