#pragma once
// What operators hear when a budget has reached a threshold: a line in the log, a count, and a signed webhook if one is
// configured. What else is to be told goes the same way. Webhooks go out one after the other on the loop that is given,
// never on a request's path; what the receiver does not take (any answer but a 2xx, redirects included) is sent again
// after a growing, jittered pause.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "sluice/config/config.hpp"
#include "sluice/core/async.hpp"
#include "sluice/core/clock.hpp"
#include "sluice/core/money.hpp"
#include "sluice/http/client.hpp"
#include "sluice/observe/sink.hpp"

namespace sluice::budget {

struct BudgetAlert {
  std::string budget;  // id of the limit; with the next members it names the event
  std::string node;    // "group acme/search"; its first word is a label
  unsigned percent = 0;
  Money limit;
  Money used;
  Period period = Period::kMonth;
  std::chrono::sys_seconds period_start{};
};

struct WebhookMessage {
  std::string id;
  std::string body;  // JSON, which names the id as well
};
// The same for equal events, whoever raises them: a process that was started again, or another replica.
std::string webhook_id(std::string_view event);

struct AlertCounts {
  std::map<std::pair<std::string, unsigned>, std::uint64_t> raised;  // by kind of node and percent
  std::uint64_t delivered = 0;
  std::uint64_t retries = 0;
  std::uint64_t failed = 0;   // given up after so many attempts
  std::uint64_t dropped = 0;  // no room in the queue, or no webhook any more
  std::size_t queued = 0;     // the one that is being sent included
};

struct AlertOptions {
  milliseconds first_pause{1'000};  // before the second attempt; doubled before each further one
  milliseconds longest_pause{60'000};
  milliseconds timeout{10'000};  // of one attempt
  std::size_t most_queued = 256;
};

class Alerts {
 public:
  // `io` is the loop that `client` belongs to; both outlive this. `tell` is called from any thread.
  Alerts(net::io_context& io, http::Client& client, observe::Tell tell, AlertOptions options = {});
  // On the loop's thread, or after it has ended. What is queued is not sent.
  ~Alerts();
  Alerts(const Alerts&) = delete;
  Alerts& operator=(const Alerts&) = delete;

  // At the start and at each reload; what is queued goes to the new address. Any thread. The error says what is wrong
  // with the configuration, as "alerts.secret: …", and nothing has changed then.
  std::expected<void, std::string> configure(const config::Alerts& config);

  // Any thread; waits for nobody. Equal alerts have equal ids, so that a receiver can tell what it has seen before.
  void raise(BudgetAlert alert);

  // The webhook alone. Any thread; waits for nobody.
  void send(WebhookMessage message);

  AlertCounts counts() const;  // any thread

 private:
  class Courier;
  std::shared_ptr<Courier> courier_;
};

}  // namespace sluice::budget
