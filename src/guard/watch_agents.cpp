#include <algorithm>

#include "sluice/api/tool_calls.hpp"
#include "sluice/core/content_hash.hpp"
#include "sluice/core/text.hpp"
#include "sluice/guard/stages.hpp"
#include "sluice/pipeline/answer_tap.hpp"
#include "sluice/pipeline/in_front.hpp"
#include "sluice/pipeline/user.hpp"

namespace sluice::guard {
namespace {

constexpr std::size_t kShownUser = 128;
constexpr std::size_t kShownTool = 64;
constexpr std::size_t kHashDigits = 16;

// Reads an answer for the calls of tools that it asks for, and remembers them before the client can bring a result.
class CallWatch final : public pipeline::AnswerListener {
 public:
  CallWatch(const pipeline::Exchange& exchange, ToolLog& log)
      : exchange_(exchange), log_(log), reader_(exchange.endpoint) {}

  void body(std::string_view text) override { reader_.body(text); }
  bool event(std::string_view data) override {
    reader_.event(data);
    return true;
  }
  void ended() override {
    const observe::Record& record = exchange_.record;
    const auto calls = reader_.calls();
    if (calls.empty()) return;
    log_.asked({.owner = record.key, .run_id = record.run_id, .request_id = record.request_id}, calls, Clock::now());
  }
  const api::ToolCallReader& reader() const { return reader_; }

 private:
  const pipeline::Exchange& exchange_;
  ToolLog& log_;
  api::ToolCallReader reader_;
};

// While it lives, GuardRun sees the calls.
class Shown {
 public:
  Shown(pipeline::Exchange& exchange, const api::ToolCallReader& reader) : exchange_(exchange) {
    exchange_.tool_calls = &reader;
  }
  Shown(const Shown&) = delete;
  Shown& operator=(const Shown&) = delete;
  ~Shown() { exchange_.tool_calls = nullptr; }

 private:
  pipeline::Exchange& exchange_;
};

class WatchAgents final : public pipeline::Middleware {
 public:
  WatchAgents(const config::Config& config, std::shared_ptr<ToolLog> tools)
      : config_(config), hash_(config.trace.secret), tools_(std::move(tools)) {}

  Task<Result<void>> handle(pipeline::Exchange& exchange, pipeline::Next next) const override {
    exchange.record.user = told(pipeline::user_of(exchange, config_.auth.user_headers));
    note_results(exchange);
    if (!api::offers_tools(*exchange.view)) co_return co_await next(exchange);
    CallWatch watch(exchange, *tools_);
    pipeline::AnswerTap tap(*exchange.sink, watch, pipeline::tap_limits(config_));
    const pipeline::InFront in_front(exchange, tap);
    const Shown shown(exchange, watch.reader());
    co_return co_await next(exchange);
  }

 private:
  void note_results(pipeline::Exchange& exchange) const {
    observe::Record& record = exchange.record;
    for (const api::ToolResult& result : api::read_tool_results(*exchange.view)) {
      const auto asked = tools_->brought(record.key, result.call.id, record.started);
      if (!asked) continue;
      const bool seen = !asked->request_id.empty();
      const std::string& name = result.call.name.empty() ? asked->name : result.call.name;
      observe::ToolUse& use = record.tools.emplace_back();
      use.tool = truncate_utf8(name, kShownTool);
      use.call_id = observe::recorded_id(result.call.id);
      use.asked_by = asked->request_id;
      const std::uint64_t digest = result.call.name.empty() ? asked->arguments : result.call.arguments;
      use.arguments_hash = hash_(std::to_string(digest)).substr(0, kHashDigits);
      if (seen) use.duration = std::max(record.started - asked->when, nanoseconds(0));
      use.failed = result.failed;
      use.retries = std::max(result.earlier, asked->earlier);
    }
  }

  std::string told(const std::string& user) const {
    if (user.empty() || config_.trace.users == config::TraceUsers::kNone) return "";
    return config_.trace.users == config::TraceUsers::kHash ? hash_(user) : truncate_utf8(user, kShownUser);
  }

  const config::Config& config_;
  ContentHash hash_;
  std::shared_ptr<ToolLog> tools_;
};

}  // namespace

std::unique_ptr<pipeline::Middleware> make_watch_agents(const config::Config& config, std::shared_ptr<ToolLog> tools) {
  return std::make_unique<WatchAgents>(config, std::move(tools));
}

}  // namespace sluice::guard
