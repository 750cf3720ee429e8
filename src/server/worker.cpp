#include "server/worker.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

namespace sluice::server {
namespace {

constexpr auto kFlushInterval = milliseconds(20);  // how long a record may wait for company
constexpr std::size_t kFlushBytes = 64 * 1024;
constexpr auto kAcceptPause = milliseconds(50);  // when accepting fails, out of descriptors for instance
constexpr int kBacklog = 4096;
constexpr int kUnsentLowWater = 64 * 1024;  // what the kernel may hold unsent for a slow reader

http::ClientLimits client_limits(const config::Config& config) {
  return {.head = {.bytes = config.limits.header_bytes, .fields = config.limits.header_fields},
          .dns_ttl = config.dns.ttl};
}

}  // namespace

std::expected<Acceptor, std::string> open_listener(net::io_context& io, const config::Address& address) {
  boost::system::error_code failed;
  const std::string name = address.host == "localhost" ? "127.0.0.1" : address.host;
  const auto where = address.host + ":" + std::to_string(address.port);
  const auto ip = net::ip::make_address(name, failed);
  if (failed) return std::unexpected(where + ": not an address");
  const net::ip::tcp::endpoint endpoint(ip, address.port);
  Acceptor acceptor(io.get_executor());
  const int on = 1;
  acceptor.open(endpoint.protocol(), failed);
  if (!failed) acceptor.set_option(net::socket_base::reuse_address(true), failed);
  if (!failed && ::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
    failed.assign(errno, boost::system::system_category());
  }
  if (!failed) acceptor.bind(endpoint, failed);
  if (!failed) acceptor.listen(kBacklog, failed);
  if (failed) return std::unexpected("cannot listen on " + where + ": " + failed.message());
  return acceptor;
}

Worker::Worker(const config::Config& config)
    : wheel_(Clock::now(), [this](TimePoint when) { arm_wheel(when); }),
      work_(net::make_work_guard(io_)),
      wheel_timer_(io_.get_executor()),
      flush_timer_(
          wheel_, [](void* self) { static_cast<Worker*>(self)->flush_lines(); }, this),
      upstreams_(http::make_client(io_, wheel_, client_limits(config))),
      context_{.timers = wheel_,
               .upstreams = *upstreams_,
               .metrics = metrics_,
               .service = [this] { return service_; },
               .record = [this](const observe::Record& record) { take(record); },
               .draining = [this] { return draining_; }} {}

Worker::~Worker() {
  stop();
  join();
}

void Worker::run() {
  if (acceptor_) net::co_spawn(io_, accept_loop(), net::detached);
  io_.run();
}

void Worker::start_thread() {
  thread_ = std::thread([this] { run(); });
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::stop() {
  net::post(io_, [this] {
    boost::system::error_code ignored;
    if (acceptor_) acceptor_->close(ignored);
    stopping_ = true;
    for (Session* session : std::vector(open_.begin(), open_.end())) session->cut();
    flush_lines();
    work_.reset();
    if (open_.empty()) io_.stop();  // else when the last connection is gone
  });
}

void Worker::set_service(std::shared_ptr<const Service> service, const config::Config& config) {
  net::post(io_, [this, next = std::move(service), limits = client_limits(config)] {
    service_ = next;
    upstreams_->configure(limits);
  });
}

void Worker::set_sinks(Sinks sinks) {
  net::post(io_, [this, next = std::move(sinks)] {
    flush_lines();
    sinks_ = next;
  });
}

void Worker::begin_drain() {
  net::post(io_, [this] { draining_ = true; });
}

void Worker::stop_accepting() {
  net::post(io_, [this] {
    boost::system::error_code ignored;
    if (acceptor_) acceptor_->close(ignored);
    for (Session* session : std::vector(open_.begin(), open_.end())) session->close_if_idle();
  });
}

void Worker::cut_sessions() {
  net::post(io_, [this] {
    for (Session* session : std::vector(open_.begin(), open_.end())) session->cut();
  });
}

Task<void> Worker::accept_loop() {
  constexpr auto kAwait = net::as_tuple(net::deferred);
  while (acceptor_->is_open()) {
    auto [error, socket] = co_await acceptor_->async_accept(kAwait);
    if (error == net::error::operation_aborted || error == net::error::bad_descriptor) co_return;
    if (error) {
      net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> pause(io_.get_executor(), kAcceptPause);
      co_await pause.async_wait(kAwait);
      continue;
    }
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentLowWater, sizeof kUnsentLowWater);
    auto session = std::make_shared<Session>(std::move(socket), context_);
    open_.insert(session.get());
    ++session_count_;
    session->start([this](Session& ended) {
      open_.erase(&ended);
      --session_count_;
      if (stopping_ && open_.empty()) {
        flush_lines();
        io_.stop();
      }
    });
  }
}

void Worker::take(const observe::Record& record) {
  metrics_.count(record);
  if (sinks_.trace) observe::append_trace_line(trace_lines_, record);
  if (sinks_.log) observe::append_log_line(log_lines_, record);
  ++pending_lines_;
  if (trace_lines_.size() + log_lines_.size() > kFlushBytes) return flush_lines();
  if (flush_timer_.due() == kNever) flush_timer_.arm(Clock::now() + kFlushInterval);
}

void Worker::flush_lines() {
  flush_timer_.disarm();
  const auto count = std::exchange(pending_lines_, 0);
  if (!trace_lines_.empty()) sinks_.trace->write(std::exchange(trace_lines_, {}), count);
  if (!log_lines_.empty()) sinks_.log->write(std::exchange(log_lines_, {}), count);
}

void Worker::arm_wheel(TimePoint when) {
  wheel_timer_.expires_at(when);
  wheel_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    if (const auto next = wheel_.run(Clock::now()); next != kNever) arm_wheel(next);
  });
}

}  // namespace sluice::server
