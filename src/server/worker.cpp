#include "server/worker.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/core/demangle.hpp>
#include <new>
#include <typeinfo>

#include "sluice/pipeline/copies.hpp"

namespace sluice::server {
namespace {

constexpr auto kFlushInterval = milliseconds(20);  // how long a record may wait for company
constexpr std::size_t kFlushBytes = 64 * 1024;

http::ClientLimits client_limits(const config::Config& config) {
  return {.head = {.bytes = config.limits.header_bytes, .fields = config.limits.header_fields},
          .dns_ttl = config.dns.ttl};
}

SpendRow spend_of(const observe::Record& record) {
  return {.hour = std::chrono::floor<std::chrono::hours>(record.time),
          .key = record.key,
          .group = record.group,
          .model = record.route,
          .provider = record.provider,
          .requests = 1,
          .input_tokens = record.usage.input,
          .output_tokens = record.usage.output,
          .cost = record.cost.value_or(Money())};
}

void note_spend(budget::SpendStore& store, const observe::Record& record) {
  try {
    store.add(spend_of(record));
  } catch (const std::bad_alloc&) {
    store.lose();
  }
}

}  // namespace

Worker::Worker(const config::Config& config, observe::SeriesBudget& series)
    : wheel_(Clock::now(), [this](TimePoint when) { arm_wheel(when); }),
      metrics_(&series),
      work_(net::make_work_guard(io_)),
      wheel_timer_(io_.get_executor()),
      flush_timer_(
          wheel_, [](void* self) { static_cast<Worker*>(self)->flush_lines(); }, this),
      upstreams_(http::make_client(io_, wheel_, client_limits(config))),
      context_{.timers = wheel_,
               .upstreams = *upstreams_,
               .metrics = metrics_,
               .in_flight = in_flight_,
               .service = [this] { return service_; },
               .record = [this](const observe::Record& record) { take(record); },
               .draining = [this] { return draining_; }},
      loop_lag_(io_, metrics_, [this] { beat(); }) {}

Worker::~Worker() {
  stop();
  join();
  stopping_ = false;  // connections that are left end with the loop, when most of this is gone
}

void Worker::listen(Acceptor acceptor, ConnectionSlots& slots, bool essential) {
  listener_ = std::make_shared<Listener>(
      std::move(acceptor), Listener::Place{wheel_, metrics_, slots, [this] { return service_->tls(); }, essential},
      [this](http::TcpSocket socket, const IpAddress& source, ConnectionSlots::Slot slot) {
        open_session(std::make_shared<Session>(std::move(socket), source, context_), std::move(slot));
      });
  accepting_ = true;
}

void Worker::run() {
  while (!io_.stopped()) {
    try {
      if (keep_going()) {
        io_.run();
      } else {
        io_.run_for(LoopLag::kInterval);
      }
    } catch (const std::exception& thrown) {
      note_escaped(thrown);
    }
  }
}

// False: there is no memory for a beat. The loop has to turn all the same, or none would be given back.
bool Worker::keep_going() {
  try {
    loop_lag_.start();
    if (listener_) listener_->start();
  } catch (const std::bad_alloc&) {
    // Soon again.
  }
  return loop_lag_.beating();
}

void Worker::beat() {
  if (wheel_due_ <= Clock::now()) turn_wheel();
  if (listener_) listener_->start();
  if (on_beat_) on_beat_();
}

// Thrown by a handler that belongs to no request, nearly always for want of memory. Told once, counted always.
void Worker::note_escaped(const std::exception& thrown) {
  metrics_.count_escaped();
  if (std::exchange(told_escaped_, true)) return;
  try {
    spdlog::error("an event handler failed: {}; the worker goes on, and further ones are only counted",
                  boost::core::demangle(typeid(thrown).name()));
  } catch (const std::exception&) {
    told_escaped_ = false;
  }
}

void Worker::start_thread() {
  thread_ = std::thread([this] { run(); });
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::stop() {
  net::post(io_, [this] {
    if (listener_) listener_->close();
    stopping_ = true;
    for (Session* session : sessions_now()) session->cut(ErrorKind::kDraining);
    work_.reset();
    stop_once_empty();  // else when the last connection is gone
  });
}

void Worker::stop_once_empty() {
  if (!open_.empty()) return;
  if (!pipeline::end_copies()) return net::post(io_, [this] { stop_once_empty(); });
  flush_lines();
  io_.stop();
}

void Worker::set_service(std::shared_ptr<const Service> service, const config::Config& config) {
  const std::size_t records = config.server.recent_records;
  net::post(io_, [this, next = std::move(service), limits = client_limits(config), records] {
    service_ = next;
    upstreams_->configure(limits);
    recent_.keep(records);
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
    if (listener_) listener_->close();
    // One that was accepted just before is opened first.
    net::post(io_, [this] { accepting_ = false; });
  });
}

void Worker::close_idle() {
  net::post(io_, [this] {
    for (Session* session : sessions_now()) session->close_if_idle();
  });
}

void Worker::cut_sessions() {
  net::post(io_, [this] {
    for (Session* session : sessions_now()) session->cut(ErrorKind::kDraining);
  });
}

void Worker::cut_largest(std::size_t bytes) {
  net::post(io_, [this, bytes] {
    std::vector<std::pair<std::size_t, Session*>> held;
    for (Session* session : sessions_now()) {
      if (const std::size_t size = session->held_bytes(); size > 0) held.emplace_back(size, session);
    }
    std::ranges::sort(held, std::greater{});
    std::size_t given_up = 0;
    for (const auto& [size, session] : held) {
      if (given_up >= bytes) break;
      given_up += size;
      metrics_.count_shed(observe::Shed::kMemoryStreams);
      session->cut(ErrorKind::kOverloaded);
    }
  });
}

// A copy: what is done to one may end it.
std::vector<Session*> Worker::sessions_now() const {
  std::vector<Session*> all;
  all.reserve(open_.size());
  for (const auto& [session, slot] : open_) all.push_back(session);
  return all;
}

void Worker::open_session(std::shared_ptr<Session> session, ConnectionSlots::Slot slot) {
  open_.emplace(session.get(), std::move(slot));
  ++session_count_;
  session->start([this](Session& ended) { close_session(ended); });
}

void Worker::close_session(Session& session) {
  open_.erase(&session);
  --session_count_;
  if (stopping_) stop_once_empty();
}

template <class Append>
void Worker::Lines::add(observe::LineFile& file, const Append& append) {
  const std::size_t before = text.size();
  try {
    if (text.empty()) text.reserve(usual);
    count += append(text);
  } catch (const std::bad_alloc&) {
    text.resize(before);
    file.lose(1);
  }
}

void Worker::take(const observe::Record& record) {
  metrics_.count(record);
  recent_.add(record);
  if (sinks_.spend && (record.cost || !record.key.empty())) note_spend(*sinks_.spend, record);
  if (sinks_.trace) trace(record);
  if (sinks_.log) {
    log_lines_.add(*sinks_.log, [&record](std::string& text) { return observe::append_log_line(text, record); });
  }
  if (trace_lines_.text.size() + log_lines_.text.size() > kFlushBytes) return flush_lines();
  if (flush_timer_.due() == kNever) flush_timer_.arm(Clock::now() + kFlushInterval);
}

void Worker::trace(const observe::Record& record) {
  const std::uint32_t share = observe::share_kept(record, sinks_.sample);
  if (share == 0) return metrics_.count_sampled_out();
  trace_lines_.add(*sinks_.trace, [&](std::string& text) { return observe::append_trace_lines(text, record, share); });
}

void Worker::Lines::hand_over(observe::LineFile& file) {
  if (count == 0) return;
  usual = text.size();
  file.write(std::exchange(text, {}), std::exchange(count, 0));
}

void Worker::flush_lines() {
  flush_timer_.disarm();
  if (sinks_.trace) trace_lines_.hand_over(*sinks_.trace);
  if (sinks_.log) log_lines_.hand_over(*sinks_.log);
}

void Worker::arm_wheel(TimePoint when) {
  wheel_due_ = when;
  try {
    wheel_timer_.expires_at(when);
    wheel_timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) turn_wheel();
    });
  } catch (const std::bad_alloc&) {
    // The next beat turns it.
  }
}

void Worker::turn_wheel() {
  const auto next = wheel_.run(Clock::now());
  wheel_due_ = kNever;
  if (next != kNever) arm_wheel(next);
}

}  // namespace sluice::server
