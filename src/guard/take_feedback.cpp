#include <optional>

#include "sluice/core/json_string.hpp"
#include "sluice/core/text.hpp"
#include "sluice/guard/stages.hpp"

namespace sluice::guard {
namespace {

constexpr std::size_t kShownRunId = 128;
constexpr std::string_view kDefaultName = "rating";

class TakeFeedback final : public pipeline::Middleware {
 public:
  Task<Result<void>> handle(pipeline::Exchange& exchange, pipeline::Next next) const override {
    if (exchange.endpoint != Endpoint::kFeedback) return next(exchange);
    return take(exchange);
  }

 private:
  static Task<Result<void>> take(pipeline::Exchange& exchange) {
    const api::RequestView& view = *exchange.view;
    observe::Record& record = exchange.record;
    observe::Feedback feedback{.of = view.text("request_id"),
                               .of_trace = view.text("trace_id"),
                               .name = view.text("name"),
                               .value = std::string(view.member("value")->value.raw),
                               .comment = {}};
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
};

}  // namespace

std::unique_ptr<pipeline::Middleware> make_take_feedback() { return std::make_unique<TakeFeedback>(); }

}  // namespace sluice::guard
