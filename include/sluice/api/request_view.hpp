#pragma once
// What the gateway understands of a request body, as views into the client's own bytes. Everything else is forwarded
// byte for byte. Shapes: OpenAI API reference, "Create chat completion" and its siblings.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/api/json.hpp"
#include "sluice/core/endpoint.hpp"
#include "sluice/core/error.hpp"

namespace sluice::api {

enum class Encoding : std::uint8_t { kUnset, kFloat, kBase64 };  // embeddings: `encoding_format`

struct RequestView {
  Endpoint endpoint = Endpoint::kNone;
  std::string_view body;              // outlives the view
  std::vector<json::Member> members;  // top level, in order
  std::string model;                  // unescaped; empty only where the endpoint allows it to be absent
  bool stream = false;
  bool wants_usage = false;  // stream_options.include_usage is true
  Encoding encoding = Encoding::kUnset;
  bool has_parts = false;  // a content, input or prompt is a list, which may hold pictures, sounds and files
  // Chat: how many messages there are, and what the first and the last one of the role user say.
  std::size_t messages = 0;
  json::Value first_user;
  json::Value last_user;
  bool has_tool_results = false;  // a message of the role tool

  // Of the top level. Absent or of another kind: null, empty, nothing.
  const json::Member* member(std::string_view name) const;
  std::string text(std::string_view name) const;
  std::optional<std::int64_t> integer(std::string_view name) const;
  // Tokens of one answer that the client allows, by whichever name the endpoint has for it.
  std::optional<std::int64_t> max_output() const;
};

// The gate: strict JSON, an object, and the right types and ranges of the fields we understand. An error names the
// member in `param`, or the byte offset in its message. `body` must outlive the view.
Result<RequestView> parse_request(Endpoint endpoint, std::string_view body);

// A declared change of the body: `length` bytes at `offset` are replaced by `text`.
struct Edit {
  std::size_t offset = 0;
  std::size_t length = 0;
  std::string text;
};

// The edits that turn the client's body into the one this target wants. Never overlapping, in order of offset.
struct Rewrite {
  std::string model;         // upstream name; empty: leave as it is
  bool force_usage = false;  // streams: set stream_options.include_usage
  const std::vector<std::string>* drop = nullptr;
  const std::vector<std::pair<std::string, std::string>>* rename = nullptr;
};
std::vector<Edit> plan_edits(const RequestView& view, const Rewrite& rewrite);

// The body as it goes out: slices of `body` and of the edits, in order. Both must outlive the result.
std::vector<std::string_view> apply(std::string_view body, const std::vector<Edit>& edits);

}  // namespace sluice::api
