#include <algorithm>

#include "sluice/api/tool_calls.hpp"
#include "sluice/core/aside.hpp"
#include "sluice/core/text.hpp"
#include "sluice/guard/stages.hpp"
#include "sluice/pipeline/user.hpp"
#include "sluice/sse/decoder.hpp"

namespace sluice::guard {
namespace {

constexpr std::size_t kShownUser = 128;
constexpr std::size_t kShownTool = 64;
constexpr std::size_t kShownCall = 128;

// Between the stages that answer and the client: what passes is read for calls of tools, and told before the client
// gets the last of it, since its next request may be here before we are done with this one.
class Tap final : public http::ResponseSink {
 public:
  struct Limits {
    std::size_t event_bytes = 0;
    std::size_t inline_bytes = 0;  // a larger body is read beside the event loop
  };
  Tap(http::ResponseSink& client, api::ToolCallReader& reader, const Limits& limits, std::function<void()> whole)
      : client_(client), reader_(reader), limits_(limits), decoder_(limits.event_bytes), whole_(std::move(whole)) {}

  bool started() const override { return client_.started(); }
  void end_by(TimePoint due) override { client_.end_by(due); }
  Task<Result<void>> respond(http::ResponseStart start, std::string_view body) override {
    if (body.size() <= limits_.inline_bytes) {
      reader_.body(body);
    } else {
      reader_ = co_await aside([body, empty = reader_]() mutable {
        empty.body(body);
        return std::move(empty);
      });
    }
    whole_();
    co_return co_await client_.respond(std::move(start), body);
  }
  void start(http::ResponseStart start) override { client_.start(std::move(start)); }
  Task<Result<void>> finish(std::string_view last_bytes) override {
    read_events(last_bytes);
    whole_();
    co_return co_await client_.finish(last_bytes);
  }
  std::optional<Result<void>> write_now(std::string_view bytes) override {
    read_events(bytes);
    return client_.write_now(bytes);
  }
  Task<Result<void>> flush() override { return client_.flush(); }

 private:
  void read_events(std::string_view bytes) {
    if (broken_) return;
    const auto read = [this](const sse::Event& event) {
      reader_.event(event.data);
      return true;
    };
    broken_ = !decoder_.feed(bytes, read);
  }

  http::ResponseSink& client_;
  api::ToolCallReader& reader_;
  Limits limits_;
  sse::Decoder decoder_;
  std::function<void()> whole_;
  bool broken_ = false;
};

// While it lives, the tap is what the stages inside answer to.
class Between {
 public:
  Between(pipeline::Exchange& exchange, Tap& tap, const api::ToolCallReader& reader)
      : exchange_(exchange), client_(std::exchange(exchange.sink, &tap)) {
    exchange_.tool_calls = &reader;
  }
  Between(const Between&) = delete;
  Between& operator=(const Between&) = delete;
  ~Between() {
    exchange_.tool_calls = nullptr;
    exchange_.sink = client_;
  }

 private:
  pipeline::Exchange& exchange_;
  http::ResponseSink* client_;
};

class WatchAgents final : public pipeline::Middleware {
 public:
  WatchAgents(const config::Config& config, std::shared_ptr<ToolLog> tools)
      : config_(config), tools_(std::move(tools)) {}

  Task<Result<void>> handle(pipeline::Exchange& exchange, pipeline::Next next) const override {
    exchange.record.user = truncate_utf8(pipeline::user_of(exchange, config_.auth.user_headers), kShownUser);
    note_results(exchange);
    if (!api::offers_tools(*exchange.view)) co_return co_await next(exchange);
    api::ToolCallReader reader(exchange.endpoint);
    const Tap::Limits limits{.event_bytes = config_.limits.event_bytes, .inline_bytes = config_.limits.inline_bytes};
    Tap tap(*exchange.sink, reader, limits, [&] { note_calls(exchange, reader); });
    const Between between(exchange, tap, reader);
    co_return co_await next(exchange);
  }

 private:
  void note_calls(const pipeline::Exchange& exchange, const api::ToolCallReader& reader) const {
    const observe::Record& record = exchange.record;
    const auto calls = reader.calls();
    if (calls.empty()) return;
    tools_->asked({.owner = record.key, .run_id = record.run_id, .request_id = record.request_id}, calls, Clock::now());
  }

  void note_results(pipeline::Exchange& exchange) const {
    observe::Record& record = exchange.record;
    for (const api::ToolResult& result : api::read_tool_results(*exchange.view)) {
      const auto asked = tools_->brought(record.key, result.call.id, record.started);
      if (!asked) continue;
      const bool seen = !asked->request_id.empty();
      const std::string& name = result.call.name.empty() ? asked->name : result.call.name;
      observe::ToolUse& use = record.tools.emplace_back();
      use.tool = truncate_utf8(name, kShownTool);
      use.call_id = truncate_utf8(result.call.id, kShownCall);
      use.asked_by = asked->request_id;
      use.arguments = result.call.name.empty() ? asked->arguments : result.call.arguments;
      if (seen) use.duration = std::max(record.started - asked->when, nanoseconds(0));
      use.failed = result.failed;
      use.retries = std::max(result.earlier, asked->earlier);
    }
  }

  const config::Config& config_;
  std::shared_ptr<ToolLog> tools_;
};

}  // namespace

std::unique_ptr<pipeline::Middleware> make_watch_agents(const config::Config& config, std::shared_ptr<ToolLog> tools) {
  return std::make_unique<WatchAgents>(config, std::move(tools));
}

}  // namespace sluice::guard
