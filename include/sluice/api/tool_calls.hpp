#pragma once
// Calls of tools as they pass by: an answer asks for them, and a later request brings their results. OpenAI API
// reference, "Create chat completion" (tool_calls, messages of the role tool) and "Create a model response"
// (function_call, function_call_output and their custom siblings). Sans-I/O; an object belongs to one thread.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/api/request_view.hpp"
#include "sluice/core/endpoint.hpp"

namespace sluice::api {

struct ToolCall {
  std::string id;
  std::string name;
  std::uint64_t arguments = 0;  // digest of them: equal JSON has the same, however it is written
};

// Beyond these an answer's calls are not followed.
inline constexpr std::size_t kMostToolCalls = 128;
inline constexpr std::size_t kMostArgumentBytes = 1024 * 1024;  // of all calls of one answer together

// Whether the answer to this may ask for tools at all.
bool offers_tools(const RequestView& view);

// Reads the calls out of one answer in the client's form. What cannot be read holds none.
class ToolCallReader {
 public:
  explicit ToolCallReader(Endpoint endpoint) : endpoint_(endpoint) {}

  void body(std::string_view whole);
  // The data of one event of a stream.
  void event(std::string_view data);
  // Those that have come so far, and have an id and a name.
  std::vector<ToolCall> calls() const;

 private:
  struct Parts {
    std::string id, name, arguments;
  };
  using Place = std::pair<std::int64_t, std::int64_t>;  // choice and index within it

  void read_choices(json::Value choices, std::string_view holder);
  void read_calls(std::int64_t choice, json::Value calls);
  void read_items(json::Value items);
  void read_item(json::Value item);
  void append(Parts& parts, json::Value call);
  Parts* parts_at(Place place);
  void extend(std::string& text, json::Value value);

  Endpoint endpoint_;
  std::map<Place, Parts> calls_;
  std::size_t bytes_ = 0;
};

// A result that a request brings, and the call that it answers where the request repeats that.
struct ToolResult {
  ToolCall call;
  bool failed = false;        // it says so, in one of the ways that are common
  std::uint32_t earlier = 0;  // calls before it in the request, of the same tool with the same arguments
};
// Of those that are new: the ones after the last answer that the request repeats.
std::vector<ToolResult> read_tool_results(const RequestView& view);

// Whether a tool's text tells that it failed: a JSON object with a true `error`, `is_error` or `isError`, a false
// `success` or `ok`, or the status "error" or "failed"; or text that begins with "error", "exception", "traceback",
// "failed" or "an error".
bool tells_failure(std::string_view text);

}  // namespace sluice::api
