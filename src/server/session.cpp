#include "server/session.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include "server/body_reader.hpp"
#include "server/serve.hpp"
#include "server/tls_failure.hpp"
#include "sluice/api/errors.hpp"
#include "sluice/core/ids.hpp"
#include "sluice/core/text.hpp"

namespace sluice::server {
namespace {

constexpr std::size_t kKeptBodyCapacity = 64 * 1024;  // a larger buffer is given back between requests
constexpr auto kRestAfter = milliseconds(200);        // of silence, buffers are given back
constexpr std::size_t kExchangeBytes = 16 * 1024;     // frames and buffers of any exchange, about
constexpr auto kLastRequestTime = milliseconds(500);  // draining: for a request that is on its way already
constexpr auto kLingerTime = milliseconds(1000);
constexpr std::size_t kLingerBytes = 256 * 1024;

std::unexpected<Error> cut_error(ErrorKind why) {
  return why == ErrorKind::kDraining ? fail(why, "The gateway is shutting down.") : overloaded("memory");
}

http::HeadLimits head_limits(const config::Limits& limits) {
  return {.bytes = limits.header_bytes, .fields = limits.header_fields, .uri_bytes = limits.uri_bytes};
}

// The exchange that a session is at, for as long as it runs.
class Current {
 public:
  Current(std::int64_t& gauge, const pipeline::Exchange*& current, const pipeline::Exchange& exchange)
      : gauge_(gauge), current_(current) {
    ++gauge_;
    current_ = &exchange;
  }
  ~Current() {
    --gauge_;
    current_ = nullptr;
  }
  Current(const Current&) = delete;
  Current& operator=(const Current&) = delete;

 private:
  std::int64_t& gauge_;
  const pipeline::Exchange*& current_;
};

}  // namespace

// Ends the connection however its task ends: by return, or dropped by a loop that could not go on with it.
class Session::Ending {
 public:
  Ending(std::shared_ptr<Session> session, std::function<void(Session&)> done)
      : session_(std::move(session)), done_(std::move(done)) {}
  Ending(Ending&&) = default;
  Ending& operator=(Ending&&) = delete;
  ~Ending() {
    if (!session_) return;
    session_->io_.transport().close();
    done_(*session_);
  }

 private:
  std::shared_ptr<Session> session_;
  std::function<void(Session&)> done_;
};

// While it lives the service is at work, and the client's leaving cancels it.
class Session::Serving {
 public:
  explicit Serving(Session& session) : session_(session) {
    session_.io_.watch([&of = session_] {
      of.gone_ = true;
      of.cancel_.emit(net::cancellation_type::terminal);
    });
    session_.serving_ = true;
  }
  ~Serving() {
    session_.serving_ = false;
    session_.io_.unwatch();
  }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

 private:
  Session& session_;
};

Session::Session(http::TcpSocket socket, const IpAddress& source, SessionContext& context)
    : context_(context),
      io_(std::move(socket), context.timers),
      sink_(io_.transport(), context.draining),
      source_(source) {
  ++context_.metrics.connections;
}

Session::~Session() { --context_.metrics.connections; }

void Session::start(std::function<void(Session&)> done) {
  auto executor = io_.transport().socket().get_executor();
  Ending ending(shared_from_this(), std::move(done));
  const auto slot = cancel_.slot();
  net::co_spawn(
      executor,
      [](Session& self) -> Task<void> {
        try {
          co_await self.run();
        } catch (const std::exception&) {
          // Out of memory, or a bug: it ends this connection and no other.
        }
      }(*this),
      // Held to the very end: the session has the signal that the task's slot belongs to.
      net::bind_cancellation_slot(slot, [held = std::move(ending)](const std::exception_ptr&) {}));
}

void Session::close_if_idle() {
  if (!idle_ || Clock::now() < idle_since_ + kLastRequestTime || !io_.transport().is_quiet()) return;
  io_.transport().say_goodbye();
  io_.transport().close();
}

void Session::cut(ErrorKind why) {
  cut_ = why;
  if (serving_) {
    cancel_.emit(net::cancellation_type::terminal);
  } else {
    io_.transport().close();
  }
}

std::size_t Session::held_bytes() {
  if (exchange_ == nullptr) return 0;
  int unsent = 0;
  if (::ioctl(io_.transport().socket().native_handle(), SIOCOUTQ, &unsent) != 0) unsent = 0;
  return kExchangeBytes + body_.capacity() + head_bytes_.capacity() + exchange_->held_bytes + exchange_->kept_bytes +
         static_cast<std::size_t>(unsent);
}

// Under memory pressure new work goes first: a request whose body has not come yet is new.
Result<void> Session::check_memory() {
  if (context_.shedding == nullptr || !context_.shedding->load(std::memory_order_relaxed)) return {};
  context_.metrics.count_shed(observe::Shed::kMemory);
  return overloaded("memory");
}

Task<void> Session::run() {
  Result<void> served;
  try {
    bool go_on = co_await secure();
    while (go_on) go_on = co_await next_request() && co_await serve_one();
  } catch (const std::exception& thrown) {
    served = internal_error(thrown);
  }
  co_await net::this_coro::reset_cancellation_state();
  if (gone_ || io_.closed()) co_return;
  // Thrown where there was no record yet, or no memory for what the record needs.
  if (!served && !idle_ && !sink_.started()) co_await reject(std::move(served.error()));
  if (body_unread_) co_return co_await linger();
  if (!sink_.started() || sink_.finished()) io_.transport().say_goodbye();
}

// What a new connection begins with, if the listener speaks TLS. False: there is nobody to serve.
Task<bool> Session::secure() {
  service_ = context_.service();
  const auto tls = service_->tls();
  if (!tls) co_return true;
  const auto due = Clock::now() + service_->limits().head_timeout;
  const auto agreed = co_await io_.transport().accept_tls(*tls, due);
  if (agreed) co_return true;
  const http::IoError& error = agreed.error();
  if (error.fault == http::IoFault::kCancelled) co_return false;
  report_tls_failure(error, io_.transport().socket(), context_.metrics);
  if (error.tls == http::TlsFault::kPlainHttp) {
    co_await reject(fail(ErrorKind::kMalformedRequest, "This port speaks TLS: use https://.").error());
  }
  body_unread_ = error.fault == http::IoFault::kTls && error.tls != http::TlsFault::kClosed;
  co_return false;
}

// Until the first byte of the next request is there. A connection that is silent for longer keeps next to nothing.
// False: the connection is over.
Task<bool> Session::next_request() {
  idle_ = true;
  idle_since_ = Clock::now();
  body_unread_ = false;
  const auto due = idle_since_ + context_.service()->limits().keepalive_timeout;
  auto rest_from = std::min(due, idle_since_ + kRestAfter);
  while (io_.input().empty()) {
    const auto input = co_await io_.wait(rest_from);
    if (input == ClientIo::Input::kClosed || (input == ClientIo::Input::kTimedOut && rest_from == due)) co_return false;
    if (input == ClientIo::Input::kBytes) continue;
    rest();
    if (co_await io_.rest(due) != ClientIo::Input::kBytes) co_return false;
    rest_from = due;
  }
  first_byte_ = Clock::now();
  idle_ = false;
  sink_.forget();
  co_return true;
}

void Session::rest() {
  release(head_bytes_);
  release(body_);
  sink_.rest();
  service_.reset();
}

// One request, from its first byte to the end of its answer. False: the connection is over.
Task<bool> Session::serve_one() {
  service_ = context_.service();
  auto head = co_await read_head();
  if (!head) {
    co_await reject(std::move(head.error()));
    co_return false;
  }
  observe::Record record;
  record.started = first_byte_;
  record.reached(observe::Stage::kAccept);
  record.time = std::chrono::system_clock::now();
  record.request_id = new_request_id();
  record.trace = continue_trace(head->nominates("traceparent") ? std::string_view() : head->get("traceparent"));
  record.client_request_id = observe::recorded_id(head->get("x-client-request-id"));
  sink_.begin(*head, record.request_id, service_->limits().write_timeout);
  if (service_->tells_timing()) sink_.add_field("server-timing", [&record] { return observe::server_timing(record); });
  http::Request request{std::move(*head), {}};
  pipeline::Exchange exchange{
      .request = request, .sink = &sink_, .upstreams = context_.upstreams, .record = record, .source = source_};
  exchange.record_copy = [&context = context_](const observe::Record& copy) { context.record(copy); };
  const Current current(context_.metrics.requests_in_flight, exchange_, exchange);
  const InFlight in_flight(context_.in_flight, exchange, sink_);
  Result<void> result;
  try {
    result = co_await admit(exchange);
    if (result) {
      request.body = body_;
      result = co_await answer(exchange);
    }
  } catch (const std::exception& thrown) {
    result = internal_error(thrown);
  }
  co_await net::this_coro::reset_cancellation_state();
  // What is thrown while the client is told of an error takes that error's place, once.
  bool told = result.has_value();
  for (int tries = 0; !told && tries < 2; ++tries) {
    try {
      co_await tell(result, exchange);
      told = true;
    } catch (const std::exception& thrown) {
      result = internal_error(thrown);
    }
  }
  close_record(result, sink_, record);
  if (service_->recorded()) context_.record(record);
  co_return sink_.keeps_alive() && !gone_;
}

// The client hears of an error; what it hears is in `result`.
Task<void> Session::tell(Result<void>& result, pipeline::Exchange& exchange) {
  if (cut_) result = cut_error(*cut_);
  if (body_unread_ || result.error().kind == ErrorKind::kInternal) sink_.close_after_this();
  co_await render_error(result.error(), exchange, sink_);
}

Task<Result<http::RequestHead>> Session::read_head() {
  const auto limits = head_limits(service_->limits());
  http::HeadScanner scanner(http::HeadScanner::Side::kRequest, limits);
  const auto due = first_byte_ + service_->limits().head_timeout;
  for (;;) {
    auto complete = scanner.scan(io_.input());
    if (!complete) co_return std::unexpected(std::move(complete.error()));
    if (*complete) {
      head_bytes_.assign(io_.input().substr(scanner.skipped(), **complete));
      io_.consume(scanner.skipped() + **complete);
      co_return http::parse_request_head(head_bytes_, limits);
    }
    const auto input = co_await io_.wait(due);
    if (input == ClientIo::Input::kClosed) co_return client_gone();
    if (input == ClientIo::Input::kTimedOut) {
      co_return fail(ErrorKind::kRequestTimeout, "The request's head did not arrive in time.");
    }
  }
}

// A head that cannot be believed has no record: it is counted, answered and forgotten.
Task<void> Session::reject(Error error) {
  if (error.kind == ErrorKind::kClientGone) co_return;
  context_.metrics.count_reject(error.kind);
  http::RequestHead none;
  sink_.begin(none, new_request_id(), service_->limits().write_timeout);
  sink_.close_after_this();
  body_unread_ = true;
  const std::string body = api::error_body(error, Dialect::kOpenai, {});
  co_await sink_.respond(error_start(error), body);
}

// What the head decides, then the body.
Task<Result<void>> Session::admit(pipeline::Exchange& exchange) {
  const http::RequestHead& head = exchange.request.head;
  body_unread_ = head.framing == http::Framing::kChunked || head.content_length > 0;
  if (auto room = check_memory(); !room) co_return room;
  auto good = service_->admit(exchange);
  exchange.record.reached(observe::Stage::kAuth);
  if (!good) co_return good;
  body_.clear();
  if (body_.capacity() > kKeptBodyCapacity) body_.shrink_to_fit();
  if (!body_unread_) co_return Result<void>{};
  if (head.framing == http::Framing::kLength && head.content_length > service_->limits().body_bytes) {
    co_return std::unexpected(body_too_large());
  }
  if (head.expect_continue && io_.input().empty()) {
    if (auto sent = co_await sink_.send_continue(); !sent) co_return sent;
  }
  BodyReader reader(io_, service_->limits(), body_, [this] { return check_memory(); });
  auto read = co_await reader.read(head);
  exchange.record.reached(observe::Stage::kBody);
  exchange.record.bytes_in = body_.size();
  if (!read && read.error().kind == ErrorKind::kClientGone) gone_ = true;
  if (read) body_unread_ = false;
  co_return read;
}

// The only place that races: the pipeline against the client's leaving and the end of the process.
Task<Result<void>> Session::answer(pipeline::Exchange& exchange) {
  Result<void> result;
  {
    const Serving serving(*this);
    result = gone_ ? Result<void>(client_gone()) : co_await run_service(*service_, exchange);
  }
  // A client that was cut because it had stalled looks gone as well, and its going may be heard of first.
  const bool told = !result && result.error().kind == ErrorKind::kClientStalled;
  if (gone_ && !sink_.finished() && !told) {
    result = sink_.stalled() ? fail(ErrorKind::kClientStalled, "The client stopped reading.") : client_gone();
  }
  if (result && !sink_.finished()) {
    result = fail(ErrorKind::kInternal, "The gateway failed to serve this request.", "answer not finished");
  }
  co_return result;
}

// The answer must not be lost to a reset because bytes were left unread: they are, for a moment, read and dropped.
Task<void> Session::linger() {
  io_.transport().shutdown_send();
  const auto due = Clock::now() + kLingerTime;
  std::size_t dropped = 0;
  while (dropped < kLingerBytes) {
    dropped += io_.input().size();
    io_.consume(io_.input().size());
    if (co_await io_.wait(due) != ClientIo::Input::kBytes) break;
  }
}

}  // namespace sluice::server
