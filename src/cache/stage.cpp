#include <algorithm>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/this_coro.hpp>

#include "cache/flights.hpp"
#include "cache/follow.hpp"
#include "cache/lead.hpp"
#include "cache/question.hpp"
#include "cache/refresh.hpp"
#include "cache/replay.hpp"
#include "cache/worth.hpp"
#include "sluice/cache/stages.hpp"
#include "sluice/pipeline/deadline.hpp"
#include "sluice/pipeline/in_front.hpp"

namespace sluice::cache {
namespace {

constexpr milliseconds kFirstPause{10};  // between two looks for another replica's answer
constexpr milliseconds kLongestPause{200};

std::int64_t unix_ms(std::chrono::system_clock::time_point when) {
  return std::chrono::floor<milliseconds>(when).time_since_epoch().count();
}

// Nobody boards it any more, and whoever is still on it is let go.
class Landing {
 public:
  Landing(Flights& flights, const Key& key, std::shared_ptr<Flight> flight)
      : flights_(flights), key_(key), flight_(std::move(flight)) {}
  ~Landing() {
    flights_.land(key_, flight_);
    flight_->fail(client_gone().error());  // unless it has ended otherwise
  }
  Landing(const Landing&) = delete;
  Landing& operator=(const Landing&) = delete;

 private:
  Flights& flights_;
  const Key& key_;
  std::shared_ptr<Flight> flight_;
};

// One exchange's way through the cache.
class Visit {
 public:
  Visit(pipeline::Exchange& exchange, pipeline::Next next, const config::Config& config, Cache& cache)
      : exchange_(exchange),
        next_(next),
        config_(config),
        cache_(cache),
        turn_(cache),
        now_(unix_ms(std::chrono::system_clock::now())) {}

  Task<Result<void>> run() {
    auto question = question_of(exchange_, config_.cache, cache_.keys());
    if (!question) co_return std::unexpected(std::move(question.error()));
    question_ = std::move(*question);
    if (question_.off) co_return co_await next_(exchange_);
    if (question_.bypass != Bypass::kNone) co_return co_await bypass();
    born_ = cache_.epoch();
    if (!question_.control.no_cache) {
      if (EntryPtr found = co_await turn_.find(*question_.key, now_)) {
        auto given = co_await consider(std::move(found));
        if (given) co_return std::move(*given);
      }
    }
    if (question_.control.only_if_cached) {
      tell("miss");
      co_return fail(ErrorKind::kNotCached, "There is no answer in the cache, and the request asks for no other.");
    }
    co_return co_await ask();
  }

 private:
  // What the client and the record are told.
  void tell(std::string_view what, const std::string& more = {}) {
    exchange_.record.cache = what;
    std::string said(what);
    said += more;
    if (question_.key) said += "; key=" + question_.key->hex();
    auto& fields = exchange_.passed_on;
    std::erase_if(fields, [](const auto& field) { return field.first == "x-sluice-cache" || field.first == "age"; });
    fields.emplace_back("x-sluice-cache", std::move(said));
  }

  Task<Result<void>> bypass() {
    exchange_.record.cache_bypass = to_string(question_.bypass);
    tell("bypass", "; reason=" + std::string(to_string(question_.bypass)));
    return next_(exchange_);
  }

  milliseconds age_of(const Entry& entry) const {
    return milliseconds(std::max<std::int64_t>(0, now_ - entry.created_unix_ms));
  }
  // As the request wants it.
  bool is_young_enough(const Entry& entry) const {
    const auto& control = question_.control;
    if (control.no_cache && entry.created_unix_ms < now_) return false;
    return !control.max_age || age_of(entry) <= *control.max_age;
  }
  // What was not there when this request came, and is now: by one that asked the same.
  Task<EntryPtr> look_again() {
    EntryPtr found = co_await turn_.find(*question_.key, now_);
    const bool good = found && now_ < found->expires_unix_ms && is_young_enough(*found);
    co_return good ? found : nullptr;
  }

  // An answer was found. Nothing: it does not do.
  Task<std::optional<Result<void>>> consider(EntryPtr found) {
    if (!is_young_enough(*found)) co_return std::nullopt;
    const bool fresh = now_ < found->expires_unix_ms;
    const auto late = milliseconds(now_ - found->expires_unix_ms);
    if (!fresh && late >= *question_.rules.stale_while_revalidate) {
      if (late < *question_.rules.stale_if_error) stale_ = std::move(found);
      co_return std::nullopt;
    }
    auto given = co_await give(*found, fresh ? "hit" : "stale");
    if (given && !fresh && !cache_.flights().is_under_way(*question_.key))
      refresh(exchange_, *found, co_await net::this_coro::executor);
    co_return given;
  }

  Task<std::optional<Result<void>>> give(const Entry& entry, std::string_view what) {
    const auto playing = playback(exchange_, entry);
    if (!playing) co_return std::nullopt;
    const auto age = std::to_string(std::chrono::floor<std::chrono::seconds>(age_of(entry)).count());
    tell(what, "; age=" + age);
    exchange_.passed_on.emplace_back("age", age);
    note_given(entry);
    auto& fields = exchange_.passed_on;
    if (config_.routing.response_headers) {
      fields.emplace_back("x-sluice-provider", entry.provider);
      fields.emplace_back("x-sluice-model", entry.model);
    }
    exchange_.record.reached(observe::Stage::kCache);
    exchange_.record.reached(observe::Stage::kFirstToken);
    exchange_.record.committed = Clock::now();
    exchange_.record.events = playing->events;
    auto sent = co_await play(exchange_, *playing, config_.cache.replay);
    exchange_.record.reached(observe::Stage::kRelay);
    co_return sent;
  }

  // Nobody has it: it is asked for, and where that fails an older answer may do.
  Task<Result<void>> ask() {
    auto result = co_await ask_once();
    const bool hopeless = !result && traits(result.error().kind).may_fall_back && !exchange_.sink->started();
    if (!hopeless || stale_ == nullptr) co_return result;
    auto given = co_await give(*stale_, "stale");
    co_return given ? std::move(*given) : std::move(result);
  }

  // Once for all who want it now.
  Task<Result<void>> ask_once() {
    const auto make = [&] {
      return std::make_shared<Flight>(exchange_.view->stream, *question_.rules.max_entry, born_);
    };
    while (config_.cache.coalesce) {
      const auto boarding = cache_.flights().board(*question_.key, born_, make);
      if (boarding.leads) {
        const Landing landing(cache_.flights(), *question_.key, boarding.flight);
        co_return co_await ask_first(boarding.flight);
      }
      if (exchange_.refreshing) co_return Result<void>{};  // somebody does it already
      auto followed = co_await follow(exchange_, boarding.flight, [this] { tell("coalesced"); });
      if (followed.sent) {
        if (followed.entry) note_given(*followed.entry);
        co_return std::move(*followed.sent);
      }
      if (followed.entry) {
        if (auto given = co_await give(*followed.entry, "coalesced")) co_return std::move(*given);
        break;
      }
      if (!followed.refused) break;
      if (is_everybodys(*followed.refused)) {
        tell("coalesced");
        co_return std::unexpected(std::move(*followed.refused));
      }
      // Its leader may still wait for Redis, on this thread, before it lands: boarding it again would never end.
      cache_.flights().land(*question_.key, boarding.flight);
    }
    co_return co_await ask_first(make());
  }

  // What the upstream did wrong it did to all; what became of the leader's own client, limits or time is its own.
  static bool is_everybodys(const Error& error) {
    return error.kind >= ErrorKind::kNoHealthyUpstream && error.kind <= ErrorKind::kUpstreamStatus;
  }

  Task<Result<void>> ask_first(std::shared_ptr<Flight> flight) {
    // Whoever comes just behind the one who has got it finds it in the store now.
    if (!question_.control.no_cache && !cache_.shared()) {
      if (const EntryPtr found = co_await look_again()) {
        if (auto given = co_await give(*found, "hit")) co_return std::move(*given);
      }
    }
    if (config_.cache.coalesce && !co_await turn_.lease(*question_.key, config_.cache.coalesce_wait)) {
      if (auto given = co_await wait_for_replica()) co_return std::move(*given);
    }
    tell(exchange_.refreshing ? "refresh" : "miss");
    exchange_.record.reached(observe::Stage::kCache);
    exchange_.has_stale_answer = stale_ != nullptr;
    EntryPtr whole;
    bool came = false;
    Tee tee({.client = *exchange_.sink,
             .flight = *flight,
             .whole =
                 [&] {
                   came = true;
                   whole = flight->complete(entry_of(tee));
                 }},
            exchange_.endpoint, co_await net::this_coro::executor);
    Result<void> result;
    {
      const pipeline::InFront in_front(exchange_, tee);
      result = co_await lead(next_(exchange_), *flight, tee);
    }
    // The answer is there: that its client leaves now keeps it from nobody.
    co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
    auto client = co_await tee.settle();
    if (came) {
      co_await keep(std::move(whole));
    } else if (!result) {
      const bool own_time = pipeline::deadline_of(exchange_) != kNever;
      const bool timed_out = result.error().kind == ErrorKind::kUpstreamTimeout;
      flight->fail(timed_out && own_time ? client_gone("its time was up").error() : result.error());
    }
    if (!client) result = std::move(client);
    co_await turn_.give_back(*question_.key);
    co_await net::this_coro::reset_cancellation_state(net::enable_terminal_cancellation());
    co_return result;
  }

  // Another replica asks already. Nothing: it has not got an answer in time, or none for us.
  Task<std::optional<Result<void>>> wait_for_replica() {
    net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> timer(co_await net::this_coro::executor);
    const auto due = std::min(Clock::now() + config_.cache.coalesce_wait, pipeline::deadline_of(exchange_));
    for (auto pause = kFirstPause; Clock::now() < due; pause = std::min(pause * 2, kLongestPause)) {
      timer.expires_after(pause);
      co_await timer.async_wait(net::deferred);
      if (const EntryPtr found = co_await look_again()) co_return co_await give(*found, "coalesced");
      if (co_await turn_.lease(*question_.key, config_.cache.coalesce_wait)) break;  // it has given up
    }
    co_return std::nullopt;
  }

  Entry entry_of(Tee& tee) const {
    const auto& record = exchange_.record;
    Entry entry = tee.take();
    entry.finish_reason = record.finish_reason;
    entry.provider = record.provider;
    entry.model = record.upstream_model;
    entry.usage = record.usage;
    if (exchange_.account != nullptr) entry.cost = exchange_.account->cost_of(record.usage);
    entry.created_unix_ms = unix_ms(std::chrono::system_clock::now());
    entry.expires_unix_ms = entry.created_unix_ms + ttl_for(question_.rules, question_.control).count();
    const auto stale = std::max(*question_.rules.stale_while_revalidate, *question_.rules.stale_if_error);
    entry.stale_until_unix_ms = entry.expires_unix_ms + stale.count();
    entry.born = born_;
    entry.scope = question_.scope;
    if (exchange_.key != nullptr) entry.key_name = exchange_.key->name;
    for (const std::string_view name :
         {std::string_view(exchange_.view->model), std::string_view(record.route), exchange_.resolved.model}) {
      if (std::ranges::find(entry.models, name) == entry.models.end()) entry.models.emplace_back(name);
    }
    entry.tags = question_.control.tags;
    if (question_.control.ttl) entry.asked_ttl_ms = question_.control.ttl->count();
    return entry;
  }

  Task<void> keep(EntryPtr entry) {
    const auto why_not = entry == nullptr ? std::string_view("too_large")
                         : entry->expires_unix_ms <= entry->created_unix_ms
                             ? std::string_view("no_ttl")
                             : why_not_kept(exchange_, *entry, question_.rules);
    if (why_not.empty()) {
      co_await turn_.store(*question_.key, std::move(entry));
    } else {
      cache_.count_skipped(why_not);
    }
  }

  // Nothing was used for it.
  void note_given(const Entry& entry) {
    auto& record = exchange_.record;
    if (record.usage.source == UsageSource::kNone) record.usage.source = UsageSource::kCached;
    record.outcome = Outcome::kCacheHit;
    record.saved = entry.usage;
    record.saved_cost = entry.cost;
    record.provider = entry.provider;
    record.upstream_model = entry.model;
    record.finish_reason = entry.finish_reason;
  }

  pipeline::Exchange& exchange_;
  pipeline::Next next_;
  const config::Config& config_;
  Cache& cache_;
  Cache::Turn turn_;
  std::int64_t now_;
  Question question_;
  std::uint64_t born_ = 0;
  EntryPtr stale_;  // for the case that nobody answers
};

class ExactCache final : public pipeline::Middleware {
 public:
  ExactCache(const config::Config& config, Cache& cache) : config_(config), cache_(cache) {}

  Task<Result<void>> handle(pipeline::Exchange& exchange, pipeline::Next next) const override {
    Visit visit(exchange, next, config_, cache_);
    co_return co_await visit.run();
  }

 private:
  const config::Config& config_;
  Cache& cache_;
};

}  // namespace

std::unique_ptr<pipeline::Middleware> make_exact_cache(const config::Config& config, Cache& cache) {
  return std::make_unique<ExactCache>(config, cache);
}

}  // namespace sluice::cache
