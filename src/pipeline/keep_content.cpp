#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <map>
#include <new>

#include "sluice/api/plain_text.hpp"
#include "sluice/api/question.hpp"
#include "sluice/core/aside.hpp"
#include "sluice/core/content_hash.hpp"
#include "sluice/core/content_redactor.hpp"
#include "sluice/core/text.hpp"
#include "sluice/pipeline/answer_tap.hpp"
#include "sluice/pipeline/content.hpp"
#include "sluice/pipeline/in_front.hpp"

namespace sluice::pipeline {
namespace {

using config::Content;

constexpr std::size_t kInlineText = 16 * 1024;  // to redact more than this would hold up the event loop

// Keeps what an answer says, up to a bound; `held` is how much that takes.
class AnswerKeeper final : public AnswerListener {
 public:
  AnswerKeeper(Endpoint endpoint, std::size_t most, std::size_t& held) : text_(endpoint, most), held_(held) {}

  void body(std::string_view text) override {
    text_.add_body(text);
    held_ = text_.held();
  }
  bool event(std::string_view data) override {
    text_.add_event(data);
    held_ = text_.held();
    return !text_.full();
  }
  std::string text() const { return text_.text(); }

 private:
  api::AnswerText text_;
  std::size_t& held_;
};

class KeepContent final : public Middleware {
 public:
  explicit KeepContent(const config::Config& config)
      : config_(config), redactor_(redact_patterns(config.trace)), hash_(config.trace.secret) {
    for (const config::Model& model : config.models) {
      if (model.content) by_route_.emplace(model.name, *model.content);
    }
  }

  Task<Result<void>> handle(Exchange& exchange, Next next) const override {
    const Content level = level_of(exchange);
    return level == Content::kNone ? next(exchange) : keep(exchange, next, level);
  }

 private:
  // Of all that say something the most private counts: the key, the entry of `models` that was asked for, and the one
  // that rules or splits have chosen.
  Content level_of(const Exchange& exchange) const {
    std::optional<Content> said;
    const auto hear = [&said](const std::optional<Content>& one) {
      if (one) said = std::min(said.value_or(*one), *one);
    };
    if (exchange.key != nullptr) hear(exchange.key->content);
    if (exchange.resolved.entry != nullptr) hear(exchange.resolved.entry->content);
    if (const auto asked = by_route_.find(exchange.record.route); asked != by_route_.end()) hear(asked->second);
    return said.value_or(config_.trace.content);
  }

  // Enough that a secret across the end of what is shown is known for one.
  std::size_t most() const { return config_.trace.content_bytes + ContentRedactor::kLookAhead; }

  Task<Result<void>> keep(Exchange& exchange, Next next, Content level) const {
    AnswerKeeper keeper(exchange.endpoint, most(), exchange.kept_bytes);
    AnswerTap tap(*exchange.sink, keeper, tap_limits(config_));
    Result<void> result;
    std::exception_ptr thrown;
    try {
      const InFront in_front(exchange, level == Content::kHash ? *exchange.sink : tap);
      result = co_await next(exchange);
    } catch (const std::exception&) {
      thrown = std::current_exception();
    }
    // That the client has left is no reason to keep less.
    co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
    try {
      const std::string answer = keeper.text();
      auto make = [&, this] { return content_of(*exchange.view, answer, level); };
      const std::size_t size = exchange.request.body.size() + answer.size();
      const bool small = size <= std::min(kInlineText, config_.limits.inline_bytes);
      exchange.record.content = small ? make() : co_await aside(make);
    } catch (const std::bad_alloc&) {
      // Then the record says less.
    }
    exchange.kept_bytes = 0;
    co_await net::this_coro::reset_cancellation_state(net::enable_terminal_cancellation());
    if (thrown) std::rethrow_exception(thrown);
    co_return result;
  }

  std::shared_ptr<const observe::Content> content_of(const api::RequestView& view, const std::string& answer,
                                                     Content level) const {
    auto made = std::make_shared<observe::Content>();
    std::string question = "sluice input 1\n";
    api::append_question(question, view);
    made->input_hash = hash_(question);
    if (level == Content::kHash) return made;
    made->has_text = true;
    question = api::question_text(view, most());
    made->input = fit(question, level, *made);
    made->output = fit(answer, level, *made);
    return made;
  }

  std::string fit(std::string_view text, Content level, observe::Content& noted) const {
    const std::size_t shown = config_.trace.content_bytes;
    if (level == Content::kFull) {
      noted.truncated = noted.truncated || text.size() > shown;
      return truncate_utf8(text, shown);
    }
    auto redacted = redactor_.redact(text, shown);
    noted.truncated = noted.truncated || redacted.cut;
    for (const auto& [kind, count] : redacted.counts) noted.redactions[kind] += count;
    return std::move(redacted.text);
  }

  const config::Config& config_;
  ContentRedactor redactor_;
  ContentHash hash_;
  std::map<std::string, Content, std::less<>> by_route_;
};

}  // namespace

std::vector<ContentRedactor::Pattern> redact_patterns(const config::Trace& trace) {
  std::vector<ContentRedactor::Pattern> patterns;
  for (const config::RedactPattern& one : trace.redact) patterns.push_back({one.name, one.pattern});
  return patterns;
}

bool keeps_content(const config::Config& config) {
  const auto on = [](const auto& one) { return one.content.value_or(Content::kNone) != Content::kNone; };
  if (config.trace.path.empty()) return false;
  return config.trace.content != Content::kNone || std::ranges::any_of(config.models, on) ||
         std::ranges::any_of(config.keys, on);
}

std::unique_ptr<Middleware> make_keep_content(const config::Config& config) {
  return std::make_unique<KeepContent>(config);
}

}  // namespace sluice::pipeline
