#include "routing/mirror.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "routing/attempt.hpp"
#include "routing/random.hpp"
#include "sluice/core/ids.hpp"
#include "sluice/http/nowhere.hpp"

namespace sluice::routing {
namespace {

constexpr std::size_t kMostUnderWay = 64;  // per worker: copies are worth less than requests

// All that the copy needs, whatever becomes of the request it was made of.
struct Copy {
  std::shared_ptr<const Router> router;
  const Route* to = nullptr;
  std::string body;
  http::Request request{};
  http::Nowhere sink{};
  observe::Record record{};
  std::function<void(const observe::Record&)> done;
};

std::size_t& under_way() {
  thread_local std::size_t count = 0;
  return count;
}
struct UnderWay {
  UnderWay() { ++under_way(); }
  ~UnderWay() { --under_way(); }
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;
};

Task<Result<void>> ask(Copy& copy, pipeline::Exchange& exchange) {
  auto view = api::parse_request(exchange.endpoint, copy.request.body);
  if (!view) co_return std::unexpected(std::move(view.error()));
  exchange.view = std::move(*view);
  const Facts facts({.view = *exchange.view});
  Plan plan(*copy.to, *copy.to, {.facts = facts, .random = random_bits()}, Clock::now());
  auto errand = plan.next(Clock::now());
  if (!errand) co_return std::unexpected(plan.nobody(Clock::now()));
  const auto due = copy.record.started + errand->target->timeouts.total;
  Attempt attempt(exchange, std::move(*errand), {.limits = copy.router->config().limits, .total_due = due});
  auto result = co_await attempt.start();
  attempt.tell();
  if (!result) co_return result;
  co_return co_await attempt.deliver();
}

Task<void> run(std::unique_ptr<Copy> copy, http::Client& upstreams, Endpoint endpoint) {
  const UnderWay counted;
  copy->request.body = copy->body;
  pipeline::Exchange exchange{
      .request = copy->request, .sink = &copy->sink, .upstreams = upstreams, .record = copy->record};
  exchange.endpoint = endpoint;
  auto result = co_await ask(*copy, exchange);
  auto& record = copy->record;
  record.ended(result);
  record.status = result ? 200 : result.error().http_status();
  copy->done(record);
}

}  // namespace

void mirror(const pipeline::Exchange& exchange, const Route& to, std::shared_ptr<const Router> router,
            const Executor& executor) {
  const auto& limits = router->config().limits;
  if (!exchange.record_copy || under_way() >= kMostUnderWay || exchange.request.body.size() > limits.inline_bytes)
    return;
  auto copy = std::make_unique<Copy>();
  copy->router = std::move(router);
  copy->to = &to;
  copy->body = exchange.request.body;
  copy->done = exchange.record_copy;
  auto& record = copy->record;
  record.time = std::chrono::system_clock::now();
  record.started = Clock::now();
  record.request_id = new_request_id();
  record.mirror_of = exchange.record.request_id;
  record.endpoint = exchange.endpoint;
  record.stream = exchange.record.stream;
  record.model = exchange.record.model;
  record.route = to.model.name;
  record.bytes_in = copy->body.size();
  net::co_spawn(executor, run(std::move(copy), exchange.upstreams, exchange.endpoint), net::detached);
}

}  // namespace sluice::routing
