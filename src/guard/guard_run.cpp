#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/this_coro.hpp>

#include "guard/run_request.hpp"
#include "sluice/api/question.hpp"
#include "sluice/api/tool_calls.hpp"
#include "sluice/core/aside.hpp"
#include "sluice/core/digest.hpp"
#include "sluice/core/ids.hpp"
#include "sluice/core/text.hpp"
#include "sluice/guard/stages.hpp"

namespace sluice::guard {
namespace {

// A call whose answer the client has may not have been counted off yet.
constexpr std::array kParallelPauses = {milliseconds(20), milliseconds(80)};

std::uint64_t digest_of_question(const api::RequestView& view) {
  std::string text(to_string(view.endpoint));
  text += ' ';
  text += view.model;
  text += ' ';
  api::append_question(text, view);
  return digest64(text);
}

// A turn that was counted; ends with the frame that holds it, however that is left.
class Held {
 public:
  Held(Runs& runs, const pipeline::Exchange& exchange, Turn turn, bool shared, Executor executor)
      : runs_(runs), exchange_(exchange), turn_(turn), shared_(shared), executor_(std::move(executor)) {}
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() {
    try {
      runs_.end(turn_, end(), shared_, executor_);
    } catch (const std::exception&) {
      // Without memory: the turn stays counted, and what it used is not.
    }
  }
  void refused_here() { undone_ = true; }

 private:
  TurnEnd end() const {
    const observe::Record& record = exchange_.record;
    const bool used = record.usage.source != UsageSource::kCached;
    TurnEnd end{.nanodollars = record.cost.value_or(Money()).nanodollars(),
                .tokens = used ? record.usage.input + record.usage.output : 0,
                .undone = undone_};
    if (exchange_.tool_calls == nullptr || undone_) return end;
    for (const api::ToolCall& call : exchange_.tool_calls->calls()) {
      end.calls.push_back(digest64(call.name + " " + std::to_string(call.arguments)));
    }
    return end;
  }

  Runs& runs_;
  const pipeline::Exchange& exchange_;
  Turn turn_;
  bool shared_;
  Executor executor_;
  bool undone_ = false;
};

// What this gateway refuses is no turn; what an upstream refuses is one.
bool is_refusal_here(const Error& error) {
  const Outcome outcome = traits(error.kind).outcome;
  return outcome == Outcome::kRejected || outcome == Outcome::kRateLimited || outcome == Outcome::kShed;
}

class GuardRun final : public pipeline::Middleware {
 public:
  GuardRun(const config::Config& config, std::shared_ptr<Runs> runs)
      : guard_(config.guard), inline_bytes_(config.limits.inline_bytes), runs_(std::move(runs)) {}

  Task<Result<void>> handle(pipeline::Exchange& exchange, pipeline::Next next) const override {
    auto id = run_id_of(exchange, guard_);
    if (!id) co_return std::unexpected(std::move(id.error()));
    if (id->empty()) co_return co_await next(exchange);
    exchange.record.run_id = truncate_utf8(*id, kShownRunId);
    const auto rules = config::rules_of(guard_, exchange.key == nullptr ? nullptr : &exchange.key->guard);
    if (rules.mode == config::GuardMode::kOff) co_return co_await next(exchange);
    auto most = caps_of(exchange.request.head, rules);
    if (!most) co_return std::unexpected(std::move(most.error()));
    Turn turn{.run = run_key(exchange.record.key, *id),
              .most = *most,
              .id = random_id(),
              .request = co_await question_of(exchange),
              .enforce = rules.mode == config::GuardMode::kEnforce};
    const Standing standing = co_await begin(turn);
    if (auto hit = met(standing.used, turn.most)) {
      hit->refused = !standing.counted;
      exchange.record.cap = hit;
      if (!standing.counted) co_return std::unexpected(stopped(*id, *hit));
    }
    Held held(*runs_, exchange, turn, standing.shared, co_await net::this_coro::executor);
    exchange.reckons_cost = turn.most[place_of(Cap::kCost)] != kNoCap;
    auto result = co_await next(exchange);
    if (!result && is_refusal_here(result.error())) held.refused_here();
    co_return result;
  }

 private:
  Task<std::uint64_t> question_of(const pipeline::Exchange& exchange) const {
    auto work = [&exchange] { return digest_of_question(*exchange.view); };
    if (exchange.request.body.size() <= inline_bytes_) co_return work();
    co_return co_await aside(work);
  }

  Task<Standing> begin(Turn turn) const {
    Standing standing = co_await runs_->begin(turn);
    for (const milliseconds pause : kParallelPauses) {
      const auto hit = met(standing.used, turn.most);
      if (standing.counted || !hit || hit->cap != Cap::kParallel) break;
      net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> timer(co_await net::this_coro::executor);
      timer.expires_after(pause);
      co_await timer.async_wait(net::as_tuple(net::deferred));
      standing = co_await runs_->begin(turn);
    }
    co_return standing;
  }

  const config::Guard& guard_;
  std::size_t inline_bytes_;
  std::shared_ptr<Runs> runs_;
};

}  // namespace

std::unique_ptr<pipeline::Middleware> make_guard_run(const config::Config& config, std::shared_ptr<Runs> runs) {
  return std::make_unique<GuardRun>(config, std::move(runs));
}

}  // namespace sluice::guard
