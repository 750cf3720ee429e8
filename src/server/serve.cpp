#include "server/serve.hpp"

#include <boost/core/demangle.hpp>
#include <boost/system/system_error.hpp>
#include <new>
#include <typeinfo>

#include "sluice/api/errors.hpp"

namespace sluice::server {

// The kind of exception, not its text: who knows what it quotes.
std::unexpected<Error> internal_error(const std::exception& exception) {
  return fail(ErrorKind::kInternal, "The gateway failed to serve this request.",
              boost::core::demangle(typeid(exception).name()));
}

http::ResponseStart error_start(const Error& error) {
  http::ResponseStart start{.status = error.http_status()};
  const bool retry = api::should_retry(error) && !error.no_retry;
  start.fields.emplace_back("x-should-retry", retry ? "true" : "false");
  // Another replica, or this one's successor, is there in a moment.
  const bool passing = error.kind == ErrorKind::kDraining || error.kind == ErrorKind::kOverloaded;
  if (error.retry_after || passing) {
    const auto ms = error.retry_after.value_or(std::chrono::seconds(1)).count();
    start.fields.emplace_back("retry-after-ms", std::to_string(ms));
    start.fields.emplace_back("retry-after", std::to_string(std::max<std::int64_t>(1, (ms + 999) / 1000)));
  }
  return start;
}

Task<Result<void>> run_service(const Service& service, pipeline::Exchange& exchange) {
  try {
    auto result = co_await service.handle(exchange);
    co_return result;
  } catch (const boost::system::system_error& error) {
    if (error.code() == net::error::operation_aborted) {
      co_return client_gone();
    }
    co_return internal_error(error);
  } catch (const std::exception& error) {
    co_return internal_error(error);
  }
}

Task<void> render_error(const Error& error, pipeline::Exchange& exchange, ClientSink& sink) {
  if (error.http_status() == 0) co_return;
  if (!sink.started()) {
    const std::string body = api::error_body(error, exchange.dialect, exchange.record.request_id);
    auto start = error_start(error);
    start.fields.insert(start.fields.begin(), exchange.passed_on.begin(), exchange.passed_on.end());
    co_await sink.respond(std::move(start), body);
  } else if (!sink.finished() && exchange.failure_event) {
    // No last chunk follows: a clean end would be read as success.
    co_await sink.write(exchange.failure_event(error));
  }
}

void close_record(const Result<void>& result, const ClientSink& sink, observe::Record& record) {
  record.ended(result);
  record.status = sink.status();
  record.bytes_out = sink.body_bytes();
}

}  // namespace sluice::server
