#include "sluice/pipeline/copies.hpp"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <vector>

#include "sluice/api/passed_on.hpp"
#include "sluice/core/ids.hpp"
#include "sluice/http/nowhere.hpp"

namespace sluice::pipeline {

// All that it needs, whatever becomes of the request it was made of.
class Copy {
 public:
  Copy(const http::Request& of, CopyPlan planned) : body(of.body), query(of.head.query), plan(std::move(planned)) {
    request.body = body;
    request.head.query = query;
    for (const http::Field& field : of.head.fields) {
      if (api::shapes_answer(field.name)) plan.fields.emplace_back(field.name, field.value);
    }
    for (const auto& [name, value] : plan.fields) request.head.fields.push_back({name, value});
  }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;

  std::string body, query;
  http::Request request{};
  http::Nowhere sink{};
  CopyPlan plan;
  std::function<void(const observe::Record&)> done;
  net::cancellation_signal cancel{};
  bool cut = false;
};

namespace {

using Copies = std::vector<std::shared_ptr<Copy>>;
Copies& under_way() {
  thread_local Copies copies;
  return copies;
}

Task<Result<void>> run(std::shared_ptr<Copy> copy, Exchange exchange) {
  under_way().push_back(copy);
  co_return co_await copy->plan.ask(exchange);
}

void ended(const std::shared_ptr<Copy>& copy, bool thrown, Result<void> result) {
  std::erase(under_way(), copy);
  if (copy->cut) {
    result = fail(ErrorKind::kDraining, "The gateway ended before the copy was answered.");
  } else if (thrown) {
    result = fail(ErrorKind::kInternal, "The copy failed.");
  }
  auto& record = copy->plan.record;
  record.ended(result);
  record.status = result ? 200 : result.error().http_status();
  copy->done(record);
}

}  // namespace

std::optional<CopyPlan> plan_copy(const Exchange& exchange) {
  if (!exchange.record_copy || under_way().size() >= kMostCopies) return std::nullopt;
  CopyPlan plan;
  auto& record = plan.record;
  record.time = std::chrono::system_clock::now();
  record.started = Clock::now();
  record.request_id = new_request_id();
  record.trace = exchange.record.trace;
  record.trace.parent = exchange.record.trace.span;
  record.trace.span = new_span_id();
  record.run_id = exchange.record.run_id;
  record.endpoint = exchange.endpoint;
  record.bytes_in = exchange.request.body.size();
  return plan;
}

void begin_copy(const Exchange& exchange, CopyPlan plan, const Executor& executor) {
  auto copy = std::make_shared<Copy>(exchange.request, std::move(plan));
  copy->done = exchange.record_copy;
  Exchange made{
      .request = copy->request, .sink = &copy->sink, .upstreams = exchange.upstreams, .record = copy->plan.record};
  made.source = exchange.source;
  made.endpoint = exchange.endpoint;
  made.dialect = exchange.dialect;
  auto over = [copy](const std::exception_ptr& thrown, Result<void> result) {
    ended(copy, thrown != nullptr, std::move(result));
  };
  net::co_spawn(executor, run(copy, std::move(made)),
                net::bind_cancellation_slot(copy->cancel.slot(), std::move(over)));
}

bool end_copies() {
  for (const auto& copy : Copies(under_way())) {
    copy->cut = true;
    copy->cancel.emit(net::cancellation_type::terminal);
  }
  return under_way().empty();
}

}  // namespace sluice::pipeline
