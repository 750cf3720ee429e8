#pragma once
// What a request and its answer say, as text for people: escapes resolved, the pieces of a stream joined. Pictures,
// sounds, files and vectors are left out. Shapes: OpenAI API reference, "Create chat completion" and its siblings.
// Pure; any thread.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/api/json.hpp"
#include "sluice/api/request_view.hpp"
#include "sluice/core/endpoint.hpp"

namespace sluice::api {

// Messages as "role: text", one after another; calls of tools as "tool_call NAME: ARGUMENTS"; the prompt or input of
// endpoints that have no messages as it is. At most `most` bytes; what is beyond is not looked at.
std::string question_text(const RequestView& view, std::size_t most);

// Put together from one whole answer or from the events of a stream: the text of the first choice, or of all items of a
// response, and the calls of tools. What a model thinks to itself is left out.
class AnswerText {
 public:
  // Keeps at most about `most` bytes.
  AnswerText(Endpoint endpoint, std::size_t most) : endpoint_(endpoint), most_(most) {}

  // Both have passed json::check(); anything else gives nothing of use.
  void add_body(std::string_view body);
  void add_event(std::string_view data);

  bool full() const { return held_ >= most_; }
  std::size_t held() const { return held_; }  // bytes
  std::string text() const;

 private:
  struct Part {  // the text of one item, or a call
    bool call = false;
    std::int64_t index = 0;
    std::string name{};
    std::string text{};
  };
  Part& part(bool call, std::int64_t index);
  void append(std::string& to, json::Value text);
  void add_message(json::Value message);
  void add_call(json::Value call, std::int64_t index);
  void add_choices(json::Value choices);
  void add_item(json::Value item, std::int64_t index);
  void add_response_event(json::Value event);

  Endpoint endpoint_;
  std::size_t most_;
  std::size_t held_ = 0;
  std::vector<Part> parts_;  // in the order in which they began
};

}  // namespace sluice::api
