#include "routing/mirror.hpp"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

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
  net::cancellation_signal cancel{};
  bool cut = false;
};

using Copies = std::vector<std::shared_ptr<Copy>>;
Copies& under_way() {
  thread_local Copies copies;
  return copies;
}

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

Task<Result<void>> run(std::shared_ptr<Copy> copy, http::Client& upstreams, Endpoint endpoint) {
  under_way().push_back(copy);
  copy->request.body = copy->body;
  pipeline::Exchange exchange{
      .request = copy->request, .sink = &copy->sink, .upstreams = upstreams, .record = copy->record};
  exchange.endpoint = endpoint;
  co_return co_await ask(*copy, exchange);
}

void ended(const std::shared_ptr<Copy>& copy, bool thrown, Result<void> result) {
  std::erase(under_way(), copy);
  if (copy->cut) {
    result = fail(ErrorKind::kDraining, "The gateway ended before the copy was answered.");
  } else if (thrown) {
    result = fail(ErrorKind::kInternal, "The copy failed.");
  }
  auto& record = copy->record;
  record.ended(result);
  record.status = result ? 200 : result.error().http_status();
  copy->done(record);
}

}  // namespace

void mirror(const pipeline::Exchange& exchange, const Route& to, std::shared_ptr<const Router> router,
            const Executor& executor) {
  const auto& limits = router->config().limits;
  if (!exchange.record_copy || under_way().size() >= kMostUnderWay ||
      exchange.request.body.size() > limits.inline_bytes)
    return;
  auto copy = std::make_shared<Copy>();
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
  auto over = [copy](const std::exception_ptr& thrown, Result<void> result) {
    ended(copy, thrown != nullptr, std::move(result));
  };
  net::co_spawn(executor, run(copy, exchange.upstreams, exchange.endpoint),
                net::bind_cancellation_slot(copy->cancel.slot(), std::move(over)));
}

bool end_copies() {
  for (const auto& copy : Copies(under_way())) {
    copy->cut = true;
    copy->cancel.emit(net::cancellation_type::terminal);
  }
  return under_way().empty();
}

}  // namespace sluice::routing
