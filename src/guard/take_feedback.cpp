#include <optional>

#include "guard/run_request.hpp"
#include "sluice/core/json_string.hpp"
#include "sluice/core/text.hpp"
#include "sluice/guard/stages.hpp"
#include "sluice/pipeline/content.hpp"

namespace sluice::guard {
namespace {

constexpr std::size_t kMostComment = 512;  // bytes
constexpr std::string_view kDefaultName = "rating";

class TakeFeedback final : public pipeline::Middleware {
 public:
  explicit TakeFeedback(const config::Config& config)
      : config_(config), redactor_(pipeline::redact_patterns(config.trace)) {}

  Task<Result<void>> handle(pipeline::Exchange& exchange, pipeline::Next next) const override {
    if (exchange.endpoint != Endpoint::kFeedback) return next(exchange);
    return take(exchange);
  }

 private:
  // A comment is content: what the key, or else the trace, keeps of that.
  std::string kept(const pipeline::Exchange& exchange, const std::string& comment) const {
    const auto said = exchange.key == nullptr ? std::nullopt : exchange.key->content;
    switch (said.value_or(config_.trace.content)) {
      case config::Content::kNone:
      case config::Content::kHash:
        return "";
      case config::Content::kRedacted:
        return redactor_.redact(comment, kMostComment).text;
      case config::Content::kFull:
        return truncate_utf8(comment, kMostComment);
    }
    return "";
  }

  Task<Result<void>> take(pipeline::Exchange& exchange) const {
    const api::RequestView& view = *exchange.view;
    observe::Record& record = exchange.record;
    observe::Feedback feedback{.of = view.text("request_id"),
                               .of_trace = view.text("trace_id"),
                               .name = view.text("name"),
                               .value = std::string(view.member("value")->value.raw),
                               .comment = kept(exchange, view.text("comment"))};
    record.run_id = truncate_utf8(view.text("run_id"), kShownRunId);
    if (feedback.of.empty() && feedback.of_trace.empty() && record.run_id.empty()) {
      co_return fail_param(ErrorKind::kMissingField, "request_id",
                           "Missing required parameter: 'request_id' (as in the answer's x-request-id), 'trace_id' or "
                           "'run_id' says what the feedback is about.");
    }
    if (feedback.name.empty()) feedback.name = kDefaultName;
    std::string body = R"({"object":"feedback","id":)";
    append_json_string(body, record.request_id);
    body += ",\"name\":";
    append_json_string(body, feedback.name);
    body += ",\"value\":" + feedback.value + "}";
    record.feedback = std::move(feedback);
    co_return co_await exchange.sink->respond({}, body);
  }

  const config::Config& config_;
  ContentRedactor redactor_;
};

}  // namespace

std::unique_ptr<pipeline::Middleware> make_take_feedback(const config::Config& config) {
  return std::make_unique<TakeFeedback>(config);
}

}  // namespace sluice::guard
