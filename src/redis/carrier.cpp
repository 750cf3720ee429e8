#include "redis/carrier.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "redis/words.hpp"

namespace sluice::redis {
namespace {

// A server that takes connections and closes them again must not be asked without pause.
constexpr auto kBetweenConnects = milliseconds(20);

// Replies after which a call goes on by another way.
bool is_detour(const Reply& reply) {
  const auto code = reply.error_code();
  return code == "NOSCRIPT" || code == "MOVED" || code == "ASK";
}

}  // namespace

// What stop() leaves to the loop. If the loop has ended, this is destroyed with it instead; then those who wait are
// too, who own what would have woken them.
class Carrier::Ending {
 public:
  explicit Ending(std::shared_ptr<Carrier> carrier) : carrier_(std::move(carrier)) {}
  Ending(Ending&&) = default;
  ~Ending() {
    if (carrier_) carrier_->abandon();
  }
  void operator()() { std::exchange(carrier_, nullptr)->end(); }

 private:
  std::shared_ptr<Carrier> carrier_;
};

Carrier::Carrier(net::io_context& io, Settings settings, std::shared_ptr<TlsContext> tls, Log log)
    : io_(io),
      settings_(std::move(settings)),
      log_(std::move(log)),
      finder_(io, settings_, std::move(tls)),
      breaker_(settings_.failures_to_open),
      alarm_(io, [this] { look_at_the_clock(); }),
      wake_(io) {
  redactor_.add(settings_.password);
}

void Carrier::start() {
  net::co_spawn(io_, keep_connected(shared_from_this()), [](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);
  });
}

void Carrier::stop() {
  stopped_ = true;
  log_ = nullptr;
  net::post(io_, Ending(shared_from_this()));
}

void Carrier::end() {
  wake_.cancel();
  link_.reset();
  const Trouble ended{Failure::kClosed, "the client was closed"};
  finder_.fail_all(ended);
  for (const auto& command : waiting_.take_all()) command->finish(std::unexpected(ended));
}

void Carrier::abandon() {
  link_.reset();
  waiting_.abandon();
  finder_.abandon_all();
}

Counts Carrier::counts() const {
  Counts now = counts_;
  now.open = breaker_.open();
  now.opened = breaker_.opened();
  now.connected = link_ != nullptr;
  now.in_flight = finder_.in_flight() + waiting_.size();
  return now;
}

std::optional<Trouble> Carrier::submit(const CommandPtr& command) {
  const std::size_t under_way = waiting_.size() + (link_ ? link_->in_flight() : 0);
  // On trial a few may find out for all.
  if (breaker_.open() || (breaker_.on_trial() && under_way >= settings_.failures_to_open))
    return note({Failure::kOpen, "not tried"});
  if (under_way >= settings_.max_in_flight)
    return note({Failure::kFull, std::to_string(settings_.max_in_flight) + " commands are under way"});
  if (link_) {
    link_->submit(command);
    return std::nullopt;
  }
  waiting_.push(command);
  alarm_.ring_by(command->next_due());
  return std::nullopt;
}

Task<std::optional<Trouble>> Carrier::submit_asking(Address at, CommandPtr command) {
  auto link = co_await finder_.open(std::move(at), login_of(settings_), command->due());
  if (!link) co_return note(std::move(link.error()));
  std::string asking;
  append_command(asking, std::array{std::string_view("ASKING")});
  (*link)->report_to(weak_from_this());
  (*link)->submit(std::make_shared<Command>(std::move(asking), Clock::now(), command->due()));
  (*link)->submit(command);
  (*link)->retire();
  co_return std::nullopt;
}

// Several commands may learn of it, the last ones when the owner has been connected to.
void Carrier::moved(Address owner) {
  if (link_ && link_->address() == owner) return;
  finder_.hint(std::move(owner));
  drop_link();
}

Trouble Carrier::note(Trouble trouble) {
  count_failure(trouble);
  return trouble;
}

void Carrier::settled(const Link& link, const Command& command, const Outcome& outcome) {
  if (outcome) return count_reply(command, *outcome);
  const Failure failure = outcome.error().failure;
  // What comes from one that was dropped before says nothing about the one in use.
  if (&link == link_.get() && (failure == Failure::kReadonly || failure == Failure::kAuth)) {
    if (failure == Failure::kReadonly) finder_.doubt_master();
    drop_link();
  }
  count_failure(outcome.error());
}

void Carrier::count_reply(const Command& command, const Reply& reply) {
  const nanoseconds took = Clock::now() - command.begun();
  const double seconds = std::chrono::duration<double>(took).count();
  const auto bucket = std::ranges::lower_bound(Counts::kLatencyBounds, seconds) - Counts::kLatencyBounds.begin();
  ++counts_.latency[static_cast<std::size_t>(bucket)];
  counts_.latency_sum += took;
  if (is_detour(reply)) return;
  ++(reply.is_error() ? counts_.refused : counts_.replies);
  tell(breaker_.succeeded());
}

void Carrier::count_failure(const Trouble& trouble) {
  ++counts_.failures[static_cast<std::size_t>(trouble.failure)];
  const bool was_open = breaker_.open();
  tell(breaker_.failed(trouble.failure), trouble);
  if (!was_open && breaker_.open()) opened(trouble);
}

// Nobody waits for what will not come. The first probe is made at once, unless there was one just before: it may have
// been no more than a hiccup.
void Carrier::opened(const Trouble& trouble) {
  wake_.cancel();
  for (const auto& command : waiting_.take_all()) {
    ++counts_.failures[static_cast<std::size_t>(trouble.failure)];
    command->finish(std::unexpected(trouble));
  }
}

void Carrier::lost(const Link& link) {
  if (&link != link_.get()) return;
  link_.reset();
  wake_.cancel();
}

// What is in flight on it gets its replies.
void Carrier::drop_link() {
  if (!link_) return;
  std::exchange(link_, nullptr)->retire();
  wake_.cancel();
}

void Carrier::look_at_the_clock() {
  const auto self = shared_from_this();
  const auto now = Clock::now();
  for (const auto& command : waiting_.take_overdue(now)) {
    const Trouble trouble{Failure::kTimeout, "no connection in time"};
    count_failure(trouble);
    command->finish(std::unexpected(trouble));
  }
  waiting_.dismiss_impatient(now);
  alarm_.ring_by(waiting_.next_due());
}

void Carrier::send_waiting() {
  for (const auto& command : waiting_.take_all()) {
    if (command->over()) continue;
    if (link_) {
      link_->submit(command);
    } else {
      waiting_.push(command);
    }
  }
  alarm_.ring_by(waiting_.next_due());
}

Task<void> Carrier::keep_connected(std::shared_ptr<Carrier> self) {
  while (!stopped_) {
    const auto now = Clock::now();
    if (breaker_.open() && now < next_probe_) {
      co_await sleep_until(next_probe_);
    } else if (!link_ && now < next_connect_) {
      co_await sleep_until(next_connect_);
    } else if (!link_) {
      co_await connect();
    } else if (breaker_.open()) {
      co_await probe();
    } else {
      co_await sleep_until(kNever);
    }
  }
}

// Or until something has changed.
Task<void> Carrier::sleep_until(TimePoint due) {
  wake_.expires_at(due);
  co_await wake_.async_wait(net::as_tuple(net::deferred));
}

Task<void> Carrier::connect() {
  next_connect_ = Clock::now() + kBetweenConnects;
  auto found = co_await finder_.find();
  if (stopped_) co_return;
  if (!found) co_return unreachable(found.error());
  ++counts_.connects;
  if (breaker_.open()) next_probe_ = Clock::now() + settings_.probe_interval;
  link_ = std::move(*found);
  link_->report_to(weak_from_this());
  tell(breaker_.probed());
  send_waiting();
}

void Carrier::unreachable(const Trouble& trouble) {
  ++counts_.failed_connects;
  next_probe_ = Clock::now() + settings_.probe_interval;
  const bool was_open = breaker_.open();
  tell(breaker_.unreachable(trouble.failure), trouble);
  if (!was_open) return opened(trouble);
  // A server that comes back may refuse us for another reason than its absence was.
  if (told_[static_cast<std::size_t>(trouble.failure)] || !log_) return;
  told_.set(static_cast<std::size_t>(trouble.failure));
  log_("Redis is still unavailable: " + readable(trouble));
}

Task<void> Carrier::probe() {
  next_probe_ = Clock::now() + settings_.probe_interval;
  const LinkPtr link = link_;
  const auto pong = co_await link->ask({"PING"}, Clock::now() + settings_.deadline);
  if (!stopped_ && pong && !pong->is_error()) tell(breaker_.probed());
}

void Carrier::tell(Breaker::News news, const Trouble& trouble) {
  if (news == Breaker::News::kNone) return;
  if (news == Breaker::News::kUnavailable) {
    unavailable_since_ = Clock::now();
    told_.reset();
    told_.set(static_cast<std::size_t>(trouble.failure));
    if (log_) log_("Redis is unavailable: " + readable(trouble));
    return;
  }
  const auto lasted = std::chrono::round<milliseconds>(Clock::now() - unavailable_since_);
  if (log_) log_("Redis is available again after " + std::to_string(lasted.count()) + " ms");
}

std::string Carrier::readable(const Trouble& trouble) const {
  std::string text(to_string(trouble.failure));
  text.append(": ").append(trouble.text);
  redactor_.strike(text);
  return text;
}

}  // namespace sluice::redis
