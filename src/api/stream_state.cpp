#include "api/stream_errors.hpp"
#include "sluice/api/answer.hpp"
#include "sluice/api/errors.hpp"

namespace sluice::api {
namespace {

constexpr std::string_view kDone = "[DONE]";

bool is_done(std::string_view data) {
  while (data.ends_with(' ')) data.remove_suffix(1);
  return data == kDone;
}

std::unexpected<Error> truncated() {
  return fail(ErrorKind::kUpstreamTruncated, "The upstream ended the stream before the answer was complete.");
}

// `event: error` with something else than JSON is an error all the same.
Error plain_error() {
  Error error;
  error.kind = ErrorKind::kUpstreamStatus;
  error.message = "The upstream reported an error.";
  return error;
}

}  // namespace

Result<StreamState::Verdict> StreamState::event(std::string_view type, std::string_view data) {
  if (complete_ || type == "ping") return Verdict{Action::kDrop, complete_, {}};
  const bool error = type == "error";
  if (data.empty() && !error) return Verdict{Action::kDrop, false, {}};
  if (data.starts_with('[') && is_done(data) && !error) return done(data);
  const auto value = json::check(data, members_, json::Surrogates::kAny);
  if (!value || !value->is_object()) {
    if (error) return std::unexpected(plain_error());
    return invalid_event(value ? "not an object" : std::string(value.error().what));
  }
  return options_.endpoint == Endpoint::kResponses ? responses_event(type, *value) : chat_event(type, *value);
}

Result<StreamState::Verdict> StreamState::done(std::string_view data) {
  if (options_.endpoint == Endpoint::kResponses) return Verdict{Action::kDrop, false, {}};
  if (!all_finished(true)) return truncated();
  complete_ = true;
  if (data == kDone) return Verdict{Action::kPass, true, {}};
  return Verdict{Action::kRewrite, true, std::string(kDone)};
}

Result<StreamState::Verdict> StreamState::end() {
  if (complete_) return Verdict{Action::kPass, true, {}};
  if (options_.endpoint == Endpoint::kResponses || !all_finished(false)) return truncated();
  complete_ = true;
  return Verdict{Action::kRewrite, true, "data: [DONE]\n\n"};
}

bool StreamState::all_finished(bool at_done) const {
  bool any = false;
  for (const Progress progress : choices_) {
    if (progress == Progress::kStarted || (progress == Progress::kBlank && !at_done)) return false;
    any = any || progress != Progress::kUnseen;
  }
  return any;
}

}  // namespace sluice::api
