#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/this_coro.hpp>

#include "routing/attempt.hpp"
#include "routing/backoff.hpp"
#include "routing/blame.hpp"
#include "routing/mirror.hpp"
#include "routing/plan.hpp"
#include "routing/race.hpp"
#include "routing/random.hpp"
#include "routing/upstreams_state.hpp"
#include "sluice/pipeline/deadline.hpp"
#include "sluice/routing/stages.hpp"

namespace sluice::routing {
namespace {

// The asking for one exchange: one target after another, sometimes two beside each other.
class Asking {
 public:
  Asking(pipeline::Exchange& exchange, const Router& router)
      : exchange_(exchange),
        plan_(*exchange.plan),
        router_(router),
        retries_(router.upstreams().retries),
        deadline_(pipeline::deadline_of(exchange)),
        most_(plan_.route().model.max_attempts.value_or(router.config().routing.max_attempts)),
        passed_on_(exchange.passed_on.size()) {}

  Task<Result<void>> run() {
    retries_.earn(Clock::now());
    auto errand = plan_.next(Clock::now());
    Result<void> result = errand ? Result<void>{} : std::unexpected(plan_.nobody(Clock::now()));
    while (errand) {
      begin(*errand);
      const bool hedges = plan_.route().model.hedge && may_ask_more();
      result = hedges ? co_await ask_hedged(std::move(*errand)) : co_await ask(std::move(*errand));
      if (result || exchange_.sink->started()) co_return result;
      const Reason reason = reason_to_fall_back(result.error());
      if (reason == Reason::kNone) break;
      plan_.failed(reason, Clock::now());
      auto next = co_await another(result);
      errand.reset();
      if (next) errand.emplace(std::move(*next));
    }
    if (result.error().kind == ErrorKind::kClientGone) co_return result;
    const bool hopeless = reason_to_fall_back(result.error()) != Reason::kNone;
    const bool words = plan_.route().last_words && !exchange_.has_stale_answer;
    if (hopeless && words && Clock::now() < deadline_) co_return co_await say_last_words();
    if (lost_.source != UsageSource::kNone) exchange_.record.usage = lost_;
    co_return result;
  }

 private:
  bool may_ask_more() const { return plan_.has_more() && exchange_.record.attempts.size() < most_; }

  // What earlier attempts left behind is nobody's answer.
  void begin(const Errand& errand) {
    exchange_.passed_on.resize(passed_on_);
    total_due_ = std::min(exchange_.record.started + errand.target->timeouts.total, deadline_);
    exchange_.sink->end_by(total_due_);
  }

  AttemptLimits limits(bool beside_another = false) const {
    const auto& starve = plan_.route().model.starve;
    return {.limits = router_.config().limits,
            .total_due = total_due_,
            .deadline = deadline_,
            .alternatives = beside_another || may_ask_more() || plan_.route().last_words != nullptr,
            .starve = starve ? &*starve : nullptr};
  }

  // Whom to ask after that failure: nobody, if it may not be or costs too much.
  Task<std::optional<Errand>> another(Result<void>& failure) {
    while (exchange_.record.attempts.size() < most_ && Clock::now() < total_due_) {
      auto errand = plan_.next(Clock::now());
      if (!errand && !co_await begin_anew(failure)) break;
      if (!errand) continue;
      if (!retries_.try_spend(Clock::now())) {
        note("no retry is left in routing.retry_budget");
        break;
      }
      if (failed_ != nullptr) lose(*failed_);
      if (auto moved = co_await move_to(*errand->target); moved) co_return errand;
    }
    co_return std::nullopt;
  }

  // Asks all of them once more, a moment later, if the last one failed in passing.
  Task<bool> begin_anew(Result<void>& failure) {
    const auto& settings = router_.config().routing;
    const Error& error = failure.error();
    const bool passing = error.kind == ErrorKind::kUpstreamStatus && error.status >= 500;
    if (!passing || rounds_ >= settings.retries || error.retry_after > settings.backoff.most) co_return false;
    const auto wait = std::max<nanoseconds>(backoff(settings.backoff, rounds_++, uniform(random_bits())),
                                            error.retry_after.value_or(milliseconds(0)));
    if (Clock::now() + wait >= total_due_) co_return false;
    net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> pause(co_await net::this_coro::executor, wait);
    co_await pause.async_wait(net::as_tuple(net::deferred));
    if ((co_await net::this_coro::cancellation_state).cancelled() != net::cancellation_type::none) {
      failure = client_gone("while waiting before a retry");
      co_return false;
    }
    plan_.begin_anew(Clock::now());
    co_return true;
  }

  void note(std::string_view why) {
    auto& detail = exchange_.record.detail;
    if (detail.empty()) detail = why;
  }

  Task<Result<void>> move_to(const Target& target) {
    if (exchange_.account == nullptr) co_return Result<void>{};
    co_return co_await exchange_.account->move_to(target.place);
  }

  void lose(const Target& target) {
    if (exchange_.account != nullptr) exchange_.account->lost(target.place, lost_);
    lost_ = {};
  }

  Task<Result<void>> ask(Errand errand) {
    failed_ = errand.target;
    Attempt attempt(exchange_, std::move(errand), limits());
    auto result = co_await attempt.start();
    attempt.tell();
    if (result) co_return co_await deliver(attempt);
    if (result.error().kind != ErrorKind::kClientGone) lost_ = attempt.give_up();
    co_return result;
  }

  Task<Result<void>> deliver(Attempt& attempt) {
    note_target(exchange_.record, attempt.target());
    if (router_.config().routing.response_headers) {
      auto& fields = exchange_.passed_on;
      const auto& record = exchange_.record;
      fields.emplace_back("x-sluice-provider", attempt.target().place.provider);
      fields.emplace_back("x-sluice-model", record.upstream_model);
      fields.emplace_back("x-sluice-attempts", std::to_string(record.attempts.size()));
      if (!record.decision.empty()) fields.emplace_back("x-sluice-decision", record.decision);
      if (record.estimated_cost) fields.emplace_back("x-sluice-estimated-cost", to_decimal(*record.estimated_cost));
    }
    exchange_.substituted = is_substitute(attempt.target());
    exchange_.record.committed = Clock::now();
    return attempt.deliver();
  }

  bool is_substitute(const Target& target) const {
    return std::ranges::none_of(plan_.route().targets, [&](const Target& own) { return &own == &target; });
  }

  // When a second target is asked beside this one, if it has not answered by then.
  std::optional<milliseconds> patience_with(const Target& target) const {
    const config::Hedge& hedge = *plan_.route().model.hedge;
    if (!hedge.percentile) return std::max(hedge.after, hedge.least);
    if (!target.state) return std::nullopt;
    const auto usual = target.state->first_token_percentile(*hedge.percentile);
    return usual ? std::optional(std::max(*usual, hedge.least)) : std::nullopt;
  }

  Task<Result<void>> ask_hedged(Errand errand) {
    const auto patience = patience_with(*errand.target);
    if (!patience) co_return co_await ask(std::move(errand));
    Race race(co_await net::this_coro::executor);
    std::optional<Attempt> attempts[2];
    attempts[0].emplace(exchange_, std::move(errand), limits());
    race.begin(0, attempts[0]->start());
    if (!co_await race.wait(Clock::now() + *patience)) co_return client_gone();
    if (race.runs(0)) {
      if (auto second = beside(); second && co_await move_to(*second->target)) {
        attempts[1].emplace(exchange_, std::move(*second), limits(true));
        exchange_.record.attempts.back().hedge = true;
        race.begin(1, attempts[1]->start());
      }
    }
    while (!has_won(race, 0) && !has_won(race, 1) && (race.runs(0) || race.runs(1))) {
      if (!co_await race.wait(kNever)) co_return client_gone();
    }
    co_await race.end();
    co_return co_await settle(race, attempts);
  }

  static bool has_won(const Race& race, std::size_t lane) {
    return race.result(lane).has_value() && race.result(lane)->has_value();
  }

  std::optional<Errand> beside() {
    auto errand = plan_.next(Clock::now());
    if (errand && !retries_.try_spend(Clock::now())) return std::nullopt;
    return errand;
  }

  Task<Result<void>> settle(Race& race, std::optional<Attempt> (&attempts)[2]) {
    const bool two = attempts[1].has_value();
    const std::size_t last = has_won(race, 0) || !two ? 0 : 1;  // the winner, or else the last to fail
    if (two) {
      lost_ = attempts[1 - last]->give_up();
      lose(attempts[1 - last]->target());
    }
    attempts[last]->tell();
    if (!has_won(race, last)) {
      failed_ = &attempts[last]->target();
      lost_ = attempts[last]->give_up();
      co_return race.take(last);
    }
    if (auto moved = co_await move_to(attempts[last]->target()); !moved) co_return moved;
    co_return co_await deliver(*attempts[last]);
  }

  Task<Result<void>> say_last_words() {
    const Target answer{.provider = plan_.route().last_words.get(), .name = "answer", .place = {"answer", {}}};
    exchange_.passed_on.resize(passed_on_);
    // The targets' time may be up, or never have begun.
    total_due_ = std::min(Clock::now() + answer.timeouts.total, deadline_);
    exchange_.sink->end_by(total_due_);
    if (failed_ != nullptr) lose(*failed_);
    Attempt attempt(exchange_, Errand{.target = &answer}, limits());
    auto result = co_await attempt.start();
    if (!result) co_return result;
    co_return co_await deliver(attempt);
  }

  pipeline::Exchange& exchange_;
  Plan& plan_;
  const Router& router_;
  RetryBudget& retries_;
  TimePoint deadline_;
  TimePoint total_due_{};
  std::size_t most_;
  std::size_t passed_on_;
  unsigned rounds_ = 0;  // beyond the first, over the same targets
  const Target* failed_ = nullptr;
  Usage lost_;  // at failed_
};

class Dispatch final : public pipeline::Middleware {
 public:
  explicit Dispatch(std::shared_ptr<const Router> router) : router_(std::move(router)) {}

  Task<Result<void>> handle(pipeline::Exchange& exchange, pipeline::Next) const override {
    const Branch& branch = exchange.plan->route().mirror;
    if (branch.percent > 0 && branch.percent > random_bits() % 100) {
      mirror(exchange, *branch.to, router_, co_await net::this_coro::executor);
    }
    Asking asking(exchange, *router_);
    co_return co_await asking.run();
  }

 private:
  std::shared_ptr<const Router> router_;
};

}  // namespace

std::unique_ptr<pipeline::Middleware> make_dispatch(std::shared_ptr<const Router> router) {
  return std::make_unique<Dispatch>(std::move(router));
}

}  // namespace sluice::routing
