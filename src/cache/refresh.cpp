#include "cache/refresh.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "sluice/core/ids.hpp"
#include "sluice/http/nowhere.hpp"
#include "sluice/pipeline/middleware.hpp"

namespace sluice::cache {
namespace {

constexpr std::size_t kMostUnderWay = 64;  // per worker: who waits for an answer comes first

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

// All that it needs, whatever becomes of the request it was made of.
struct Copy {
  std::shared_ptr<const pipeline::Pipeline> stages;
  std::string body;
  http::Request request{};
  http::Nowhere sink{};
  observe::Record record{};
  std::function<void(const observe::Record&)> done;
};

Task<void> run(std::unique_ptr<Copy> copy, pipeline::Exchange exchange) {
  const UnderWay counted;
  auto& record = copy->record;
  Result<void> result;
  try {
    result = co_await pipeline::Next(*copy->stages)(exchange);
  } catch (const std::exception&) {
    result = fail(ErrorKind::kInternal, "The answer could not be asked for anew.");
  }
  record.ended(result);
  record.status = result ? 200 : result.error().http_status();
  copy->done(record);
}

}  // namespace

void refresh(const pipeline::Exchange& exchange, const Executor& executor) {
  if (!exchange.stages || !exchange.record_copy || under_way() >= kMostUnderWay) return;
  auto copy = std::make_unique<Copy>();
  copy->stages = exchange.stages;
  copy->body = exchange.request.body;
  copy->request.body = copy->body;
  copy->done = exchange.record_copy;
  auto& record = copy->record;
  record.time = std::chrono::system_clock::now();
  record.started = Clock::now();
  record.request_id = new_request_id();
  record.refresh_of = exchange.record.request_id;
  record.endpoint = exchange.endpoint;
  record.key = exchange.record.key;
  record.group = exchange.record.group;
  record.bytes_in = copy->body.size();
  pipeline::Exchange made{.request = copy->request,
                          .sink = &copy->sink,
                          .upstreams = exchange.upstreams,
                          .record = record,
                          .source = exchange.source,
                          .key = exchange.key};
  made.endpoint = exchange.endpoint;
  made.dialect = exchange.dialect;
  made.stages = exchange.stages;
  made.refreshing = true;
  net::co_spawn(executor, run(std::move(copy), std::move(made)), net::detached);
}

}  // namespace sluice::cache
