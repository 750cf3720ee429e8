#include "sluice/budget/alerts.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <random>

#include "budget/webhook.hpp"

namespace sluice::budget {
namespace {

std::string kind_of(const std::string& node) { return node.substr(0, node.find(' ')); }

}  // namespace

// Shared by the Alerts and by the task that sends, which may still lie in the loop when the Alerts are gone.
class Alerts::Courier : public std::enable_shared_from_this<Courier> {
 public:
  Courier(net::io_context& io, http::Client& client, observe::Tell tell, AlertOptions options)
      : io_(io), client_(client), tell_(std::move(tell)), options_(options), random_(std::random_device{}()) {}

  void set_target(std::shared_ptr<const WebhookTarget> target) {
    const std::lock_guard lock(mutex_);
    target_ = std::move(target);
  }

  void raise(const BudgetAlert& alert) {
    tell(line_of(alert));
    {
      const std::lock_guard lock(mutex_);
      ++counts_.raised[{kind_of(alert.node), alert.percent}];
    }
    send(message_of(alert, std::chrono::system_clock::now()));
  }

  void send(WebhookMessage message) {
    const std::lock_guard lock(mutex_);
    if (!target_ || stopped_) return;
    if (queue_.size() >= options_.most_queued) {
      ++counts_.dropped;
      return;
    }
    queue_.push_back(std::move(message));
    if (!std::exchange(sending_, true)) net::post(io_, [self = shared_from_this()] { self->start(); });
  }

  AlertCounts counts() const {
    const std::lock_guard lock(mutex_);
    AlertCounts copy = counts_;
    copy.queued = queue_.size();
    return copy;
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
      queue_.clear();
    }
    cancel_.emit(net::cancellation_type::terminal);
  }

 private:
  using Timer = net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor>;

  void start() {
    auto ended = [self = shared_from_this()](const std::exception_ptr& thrown) { self->ended(thrown != nullptr); };
    net::co_spawn(io_, send_all(shared_from_this()), net::bind_cancellation_slot(cancel_.slot(), std::move(ended)));
  }

  // An alert may have come since the last look at the queue.
  void ended(bool by_exception) {
    const std::lock_guard lock(mutex_);
    if (by_exception && !queue_.empty()) {
      ++counts_.failed;
      queue_.pop_front();
    }
    sending_ = !queue_.empty();
    if (sending_) net::post(io_, [self = shared_from_this()] { self->start(); });
  }

  static Task<void> send_all(std::shared_ptr<Courier> self) {
    while (const auto message = self->front()) {
      co_await self->deliver(*message);
      self->pop_front();
    }
  }

  // Until it is delivered or given up. The target may be another one at each attempt.
  Task<void> deliver(const WebhookMessage& message) {
    for (unsigned attempt = 1;; ++attempt) {
      const auto target = current_target();
      if (!target) co_return count(&AlertCounts::dropped);
      const std::string failure = co_await try_once(*target, message);
      if (failure.empty()) co_return count(&AlertCounts::delivered);
      if (attempt >= target->attempts()) {
        count(&AlertCounts::failed);
        co_return tell("alerts.webhook: " + message.id + " was not taken by " + target->host() + " in " +
                       std::to_string(attempt) + " attempts: " + failure);
      }
      count(&AlertCounts::retries);
      Timer timer(io_.get_executor());
      timer.expires_after(pause_before(attempt + 1, std::uniform_real_distribution<>(0, 1)(random_), options_));
      co_await timer.async_wait(net::use_awaitable_t<Executor>{});
    }
  }

  // Empty when it was taken. Nothing of the answer but its status matters, and nothing of it is repeated.
  Task<std::string> try_once(const WebhookTarget& target, const WebhookMessage& message) {
    http::Outgoing request = target.request(message, std::time(nullptr));
    request.connect_timeout = options_.timeout;
    request.head_due = Clock::now() + options_.timeout;
    http::OpenTimes times;
    auto answer = co_await client_.open(request, times);
    if (!answer) {
      const Error& error = answer.error();
      // Behind a semicolon stands what would help a provider.
      co_return error.detail.empty() ? error.message : error.detail.substr(0, error.detail.find(';'));
    }
    const int status = (*answer)->head().status;
    http::ResponseStream::finish(std::move(*answer));
    co_return status >= 200 && status < 300 ? "" : "status " + std::to_string(status);
  }

  std::optional<WebhookMessage> front() const {
    const std::lock_guard lock(mutex_);
    if (queue_.empty()) return std::nullopt;
    return queue_.front();
  }

  void pop_front() {
    const std::lock_guard lock(mutex_);
    if (!queue_.empty()) queue_.pop_front();
  }

  std::shared_ptr<const WebhookTarget> current_target() const {
    const std::lock_guard lock(mutex_);
    return target_;
  }

  void count(std::uint64_t AlertCounts::* which) {
    const std::lock_guard lock(mutex_);
    ++(counts_.*which);
  }

  void tell(const std::string& text) const {
    if (tell_) tell_(true, text);
  }

  net::io_context& io_;
  http::Client& client_;
  const observe::Tell tell_;
  const AlertOptions options_;
  std::mt19937 random_;  // this and the next are the loop's
  net::cancellation_signal cancel_;

  mutable std::mutex mutex_;
  std::shared_ptr<const WebhookTarget> target_;  // null: no webhook
  std::deque<WebhookMessage> queue_;
  AlertCounts counts_;
  bool sending_ = false;  // somebody takes from the queue
  bool stopped_ = false;
};

Alerts::Alerts(net::io_context& io, http::Client& client, observe::Tell tell, AlertOptions options)
    : courier_(std::make_shared<Courier>(io, client, std::move(tell), options)) {}

Alerts::~Alerts() { courier_->stop(); }

std::expected<void, std::string> Alerts::configure(const config::Alerts& config) {
  std::shared_ptr<const WebhookTarget> target;
  if (config.webhook) {
    auto made = WebhookTarget::create(config);
    if (!made) return std::unexpected(std::move(made.error()));
    target = std::move(*made);
  }
  courier_->set_target(std::move(target));
  return {};
}

void Alerts::raise(BudgetAlert alert) { courier_->raise(alert); }

void Alerts::send(WebhookMessage message) { courier_->send(std::move(message)); }

AlertCounts Alerts::counts() const { return courier_->counts(); }

}  // namespace sluice::budget
