#pragma once
// What the gateway understands of an upstream's answer, whole or streamed. Sans-I/O; one object per answer.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/api/json.hpp"
#include "sluice/api/request_view.hpp"
#include "sluice/core/endpoint.hpp"
#include "sluice/core/error.hpp"
#include "sluice/core/usage.hpp"

namespace sluice::api {

// Token counts from a `usage` object in the chat or in the responses shape. Clamped, never summed, never thrown.
Usage read_usage(json::Value usage);

struct Answer {
  Usage usage;
  std::string finish_reason;  // of the first choice; responses: the status; a name known here, or "other"
};
// A whole 200 body. Unreadable JSON, or not an object → kUpstreamInvalidResponse; a truthy `error` member → the
// upstream's error (see errors.hpp). A chat or completions answer without a list of choices is unreadable as well.
Result<Answer> inspect_answer(Endpoint endpoint, std::string_view body);

// Embeddings between float lists and base64 of little-endian float32. Nothing when every item already has the wanted
// form. The body must have passed inspect_answer. An item that is neither → kUpstreamInvalidResponse.
Result<std::optional<std::string>> convert_embeddings(std::string_view body, Encoding wanted);

// Follows one streamed answer, event by event, and says what may reach the client.
class StreamState {
 public:
  struct Options {
    Endpoint endpoint = Endpoint::kChat;
    bool hide_usage = false;  // include_usage was forced: the client must not see its traces
  };
  explicit StreamState(Options options) : options_(options) {}

  enum class Action : std::uint8_t { kPass, kDrop, kRewrite };
  struct Verdict {
    Action action = Action::kPass;
    bool complete = false;  // this event ends the answer in good form; nothing after it counts
    std::string rewritten;  // kRewrite: the data to send instead
    bool failure = false;   // it says that the upstream failed (response.failed), in the upstream's words
  };
  // One event: its type ("" if none) and its data (lines joined by \n). An error is the upstream's own, or says that
  // the event cannot be relayed; the answer is then over.
  Result<Verdict> event(std::string_view type, std::string_view data);

  // The upstream's body ended. Good if the answer was complete, or if all that lacks is `[DONE]`: then the verdict
  // is a rewrite with what to append. Otherwise kUpstreamTruncated.
  Result<Verdict> end();

  // The event that tells the client the answer failed, framed, in the endpoint's own form.
  std::string failure_event(const Error& error) const;

  const Usage& usage() const { return usage_; }
  const std::string& finish_reason() const { return finish_reason_; }  // as in Answer
  std::uint64_t content_events() const { return content_events_; }     // events that carried something to read
  bool complete() const { return complete_; }

 private:
  struct Chunk;  // the members of one event that matter here
  Result<Verdict> done(std::string_view data);
  Result<Verdict> chat_event(std::string_view type, json::Value event);
  Verdict judge(const Chunk& chunk) const;
  Result<void> read_choices(json::Value choices);
  void advance_choice(std::size_t index, json::Value reason);
  void take_usage(json::Value usage);
  bool all_finished(bool at_done) const;
  Result<Verdict> responses_event(std::string_view type, json::Value event);
  void read_response(json::Value response);

  // What is known of a choice. kBlank: its last chunk had an empty finish_reason, which only `[DONE]` makes final.
  enum class Progress : std::uint8_t { kUnseen, kStarted, kBlank, kFinished };

  Options options_;
  Usage usage_;
  std::string finish_reason_;
  std::uint64_t content_events_ = 0;
  bool complete_ = false;
  std::vector<Progress> choices_;      // per index
  std::vector<json::Member> members_;  // of the event at hand; kept for its memory
  // responses: what `response.failed` must repeat
  std::string response_id_;
  std::string response_model_;
  std::int64_t response_created_ = 0;
  std::int64_t next_sequence_ = 0;
};

}  // namespace sluice::api
