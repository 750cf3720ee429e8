#include "sluice/server/gateway.hpp"

#include <sched.h>
#include <spdlog/spdlog.h>

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>

#include "server/admin_service.hpp"
#include "server/app_service.hpp"
#include "server/book_metrics.hpp"
#include "server/books.hpp"
#include "server/cache_metrics.hpp"
#include "server/core_dumps.hpp"
#include "server/gather.hpp"
#include "server/health_checks.hpp"
#include "server/lines.hpp"
#include "server/listener_tls.hpp"
#include "server/live_report.hpp"
#include "server/load.hpp"
#include "server/overload.hpp"
#include "server/target_report.hpp"
#include "server/trace_events.hpp"
#include "server/warm_up.hpp"
#include "server/worker.hpp"
#include "sluice/core/build_info.hpp"
#include "sluice/core/patience.hpp"

namespace sluice::server {
namespace {

constexpr auto kDrainPoll = milliseconds(10);
constexpr std::size_t kAdminConnections = 32;  // apart from the apps', so that operators always get in
constexpr auto kCutTime = milliseconds(2000);  // for the last events of what is cut
constexpr auto kTick = milliseconds(50);

unsigned usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
}

std::string url_of(const Acceptor& acceptor, bool tls = false) {
  const auto endpoint = acceptor.local_endpoint();
  const auto host =
      endpoint.address().is_v6() ? "[" + endpoint.address().to_string() + "]" : endpoint.address().to_string();
  return (tls ? "https://" : "http://") + host + ":" + std::to_string(endpoint.port());
}

void tell_of_full_series(observe::SeriesKind kind) {
  spdlog::warn("metrics.max_series leaves no room for more {} series: further names are counted as other",
               observe::kSeriesKindNames[static_cast<std::size_t>(kind)]);
}

class Gateway {
 public:
  Gateway(std::string file, LoadedSnapshot loaded, Lines& lines, Books& books)
      : file_(std::move(file)),
        lines_(lines),
        books_(books),
        snapshot_(std::move(loaded.snapshot)),
        series_(snapshot_->config.metrics.max_series, tell_of_full_series),
        control_(snapshot_->config, series_),
        overload_(control_.io(), workers_),
        health_checks_(control_.io(), control_.upstreams()),
        signals_(control_.io(), SIGTERM, SIGINT, SIGHUP),
        timer_(control_.io().get_executor()),
        ticker_(control_.io().get_executor()) {
    control_.on_beat([this] { take_up(); });
    for (const auto& note : loaded.notes) spdlog::warn("{}", note);
    books_.attach(control_.io(), control_.upstreams());
    books_.on_threshold([this](const budget::BudgetAlert& alert) {
      net::post(control_.io(), [this, alert] { trace_alert(lines_, alert); });
    });
  }
  ~Gateway() { books_.detach(); }
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // Opens the listeners; the error says which could not be.
  std::expected<void, std::string> open() {
    if (auto applied = books_.apply(snapshot_->config); !applied) return applied;
    const config::Server& server = snapshot_->config.server;
    const unsigned count = server.workers == 0 ? usable_cores() : server.workers;
    fitting_connections_ = connections_that_fit(count);
    auto admin = open_listener(control_.io(), server.admin);
    if (!admin) return std::unexpected(admin.error());
    config::Address address = server.listen;
    for (unsigned i = 0; i < count; ++i) {
      auto& worker = *workers_.emplace_back(std::make_unique<Worker>(snapshot_->config, series_));
      auto acceptor = open_listener(worker.io(), address);
      if (!acceptor) return std::unexpected(acceptor.error());
      address.port = acceptor->local_endpoint().port();  // the rest share what the system chose for the first
      url_ = url_of(*acceptor, snapshot_->tls != nullptr);
      worker.listen(std::move(*acceptor), slots_);
      worker.shed_on(overload_.shedding());
    }
    const std::string admin_url = url_of(*admin);
    control_.listen(std::move(*admin), admin_slots_, true);
    control_.set_service(std::make_shared<AdminService>(admin_source()), snapshot_->config);
    install();
    if (auto joined = join_books(); !joined) return joined;
    for (auto& worker : workers_) worker->start_thread();
    overload_.start();
    trace_config(lines_, snapshot_->hash);
    spdlog::info("sluice {} with {} worker{}, configuration {}", version(), count, count == 1 ? "" : "s",
                 snapshot_->hash);
    spdlog::info("admin on {}", admin_url);
    spdlog::info("listening on {}", url_);
    tell_certificate();
    return {};
  }

  void run() {
    await_signal();
    tick();
    control_.run();
    leave_books();
    for (auto& worker : workers_) worker->stop();
    for (auto& worker : workers_) worker->join();
  }

 private:
  void tell_certificate() const {
    if (snapshot_->tls)
      spdlog::info("the listener's certificate is good until {}", day_of(snapshot_->tls->valid_until()));
  }

  AdminSource admin_source() {
    return {.limits = snapshot_->config.limits,
            .ready = [this] { return !draining_; },
            .warming = [this] { return warm_up_.running(Clock::now()); },
            .degraded = [this] { return books_.degraded(); },
            .metrics = [this] { return collect(); },
            .live = [this](std::string_view status) { return look(status); },
            .books = books_,
            .snapshot = [this] { return snapshot_; }};
  }

  // What an exception in a handler of the main thread left undone.
  void take_up() {
    if (!awaiting_signal_) await_signal();
    if (!ticking_) tick();
    if (!installed_) install();
    if (draining_ && Clock::now() - kDrainPoll >= next_poll_) poll_drain();
    overload_.start();
  }

  // Makes the snapshot the one that new requests get.
  void install() {
    installed_ = false;
    const config::Config& config = snapshot_->config;
    overload_.configure(config.overload);
    slots_.set_most(config.overload.max_connections > 0 ? config.overload.max_connections : fitting_connections_);
    allow_core_dumps(config.server.core_dumps);
    auto service = std::make_shared<const AppService>(snapshot_);
    for (auto& worker : workers_) {
      worker->set_sinks({lines_.trace(), lines_.request_log(), books_.spend(), lines_.sample()});
      worker->set_service(service, config);
    }
    warm_up_.begin(workers_, *snapshot_->router);
    health_checks_.configure(snapshot_->router);
    installed_ = true;
  }

  std::expected<void, std::string> join_books() {
    auto joined = books_.join(control_);
    for (auto& worker : workers_) {
      if (joined) joined = books_.join(*worker);
    }
    return joined;
  }

  void leave_books() {
    std::vector<Worker*> all;
    for (auto& worker : workers_) all.push_back(worker.get());
    books_.leave(all);
  }

  void tick() {
    ticking_ = false;
    books_.tick(Clock::now());
    ticker_.expires_after(kTick);
    ticker_.async_wait([this](const boost::system::error_code& error) {
      if (!error) tick();
    });
    ticking_ = true;
  }

  void await_signal() {
    signals_.async_wait([this](const boost::system::error_code& error, int number) {
      awaiting_signal_ = false;
      if (error) return;
      if (number == SIGHUP) {
        reload();
      } else {
        drain(number == SIGINT);
      }
      await_signal();
    });
    awaiting_signal_ = true;
  }

  void reload() {
    if (draining_) return;
    auto loaded = load_snapshot(file_, books_);
    if (!loaded) return refuse_reload(loaded.error());
    if (auto applied = lines_.apply(loaded->snapshot->config); !applied) return refuse_reload({applied.error()});
    if (auto applied = books_.apply(loaded->snapshot->config); !applied) return refuse_reload({applied.error()});
    const config::Server& now = snapshot_->config.server;
    const config::Server& next = loaded->snapshot->config.server;
    if (now.listen != next.listen || now.admin != next.admin || now.workers != next.workers ||
        snapshot_->config.metrics != loaded->snapshot->config.metrics) {
      spdlog::warn(
          "server.listen, server.admin, server.workers and metrics.max_series take effect at the next start only");
    }
    if ((snapshot_->tls == nullptr) != (loaded->snapshot->tls == nullptr)) {
      spdlog::warn("server.tls: new connections {} TLS from now on; open ones go on as they are",
                   loaded->snapshot->tls ? "speak" : "do without");
    }
    ++reloads_ok_;
    for (const auto& note : loaded->notes) spdlog::warn("{}", note);
    snapshot_ = std::move(loaded->snapshot);
    install();
    trace_config(lines_, snapshot_->hash);
    spdlog::info("reloaded {}: configuration {} is in force", file_, snapshot_->hash);
    tell_certificate();
  }

  void refuse_reload(const std::vector<std::string>& problems) {
    ++reloads_failed_;
    trace_config(lines_, snapshot_->hash, problems);
    for (const auto& line : problems) spdlog::error("{}", line);
    spdlog::error("reload refused: the configuration {} stays in force", snapshot_->hash);
  }

  void drain(bool at_once) {
    if (draining_) {
      spdlog::info("asked again to stop: cutting what is under way");
      drain_until_ = Clock::now();
      return poll_drain();
    }
    draining_ = true;
    const config::Server& server = snapshot_->config.server;
    const auto grace = at_once ? milliseconds(0) : server.drain_grace;
    spdlog::info("draining: new connections for {} ms more, running requests for {} ms after that", grace.count(),
                 server.drain_timeout.count());
    next_poll_ = Clock::now() + grace;
    drain_until_ = next_poll_ + server.drain_timeout;
    for (auto& worker : workers_) worker->begin_drain();
    poll_drain_at(next_poll_);
  }

  void poll_drain_at(TimePoint when) {
    next_poll_ = when;
    timer_.expires_at(when);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) poll_drain();
    });
  }

  void poll_drain() {
    std::size_t sessions = 0;
    bool accepting = false;
    if (!told_to_stop_accepting_) {
      for (auto& worker : workers_) worker->stop_accepting();
      told_to_stop_accepting_ = true;
    }
    for (auto& worker : workers_) {
      accepting = accepting || worker->accepting();
      worker->close_idle();
    }
    for (auto& worker : workers_) sessions += worker->sessions();
    const auto now = Clock::now();
    if ((sessions == 0 && !accepting) || now >= drain_until_ + kCutTime) {
      control_.stop();
      next_poll_ = kNever;
      return spdlog::info("stopped");
    }
    if (now >= drain_until_ && !cut_) {
      spdlog::warn("drain_timeout: cutting {} connection{}", sessions, sessions == 1 ? "" : "s");
      for (auto& worker : workers_) worker->cut_sessions();
      cut_ = true;
    }
    poll_drain_at(now + kDrainPoll);
  }

  std::int64_t certificate_expiry() const {
    return snapshot_->tls ? std::chrono::system_clock::to_time_t(snapshot_->tls->valid_until()) : 0;
  }

  Task<std::string> collect() {
    const Gathered all = co_await gather(workers_);
    BookCounts books = books_.counts();
    books.redis = all.redis;
    co_return all.metrics.render() + observe::render_series_budget(series_) + render_books(books) +
        render_targets(*snapshot_->router, Clock::now(), series_) + health_checks_.render(series_) +
        (snapshot_->cache ? render_cache(snapshot_->cache->counts()) : "") +
        observe::render_process({.trace = lines_.trace_counts(),
                                 .log = lines_.log_counts(),
                                 .reloads_ok = reloads_ok_,
                                 .reloads_failed = reloads_failed_,
                                 .config_hash = snapshot_->hash,
                                 .workers = static_cast<unsigned>(workers_.size()),
                                 .max_connections = slots_.most(),
                                 .memory_used = overload_.memory().used,
                                 .memory_limit = overload_.memory().limit,
                                 .draining = draining_,
                                 .certificate_expiry = certificate_expiry()});
  }

  Task<std::string> look(std::string_view status) {
    const Activity activity = co_await gather_activity(workers_);
    const Snapshot& now = *snapshot_;
    co_return render_live(activity, *now.router,
                          {.status = status,
                           .config_hash = now.hash,
                           .uptime = Clock::now() - started_,
                           .workers = workers_.size(),
                           .recent_records = now.config.server.recent_records,
                           .keeps_spend = books_.spend() != nullptr,
                           .listen = url_,
                           .example_model = example_model(now.config),
                           .needs_key = now.config.has_keys});
  }

  const TimePoint started_ = Clock::now();
  std::string url_;  // of the apps' listener
  std::string file_;
  Lines& lines_;
  Books& books_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::size_t fitting_connections_ = 0;
  ConnectionSlots slots_{0};
  ConnectionSlots admin_slots_{kAdminConnections};
  observe::SeriesBudget series_;  // of all workers
  std::vector<std::unique_ptr<Worker>> workers_;
  Worker control_;  // the main thread: signals and the admin listener
  Overload overload_;
  HealthChecks health_checks_;
  WarmUp warm_up_;
  net::signal_set signals_;
  net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> timer_;
  net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> ticker_;
  bool awaiting_signal_ = false;
  bool ticking_ = false;
  bool installed_ = false;
  bool draining_ = false;
  bool told_to_stop_accepting_ = false;
  bool cut_ = false;
  TimePoint next_poll_ = kNever;
  TimePoint drain_until_ = kNever;
  std::uint64_t reloads_ok_ = 0;
  std::uint64_t reloads_failed_ = 0;
};

int run_gateway(const std::string& config_file, LoadedSnapshot loaded, Lines& lines, Books& books) {
  if (auto applied = lines.apply(loaded.snapshot->config); !applied) {
    std::fprintf(stderr, "sluice: %s\n", applied.error().c_str());
    return kExitFailure;
  }
  Gateway gateway(config_file, std::move(loaded), lines, books);
  if (auto opened = gateway.open(); !opened) {
    std::fprintf(stderr, "sluice: %s\n", opened.error().c_str());
    return kExitFailure;
  }
  gateway.run();
  return kExitOk;
}

}  // namespace

int serve(const std::string& config_file) {
  allow_core_dumps(false);  // before the first key is read
  install_patience();
  Books books;
  auto loaded = load_snapshot(config_file, books);
  if (!loaded) {
    for (const auto& line : loaded.error()) std::fprintf(stderr, "%s\n", line.c_str());
    return kExitConfig;
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes is one more full disk
  Lines lines;
  const int code = run_gateway(config_file, std::move(*loaded), lines, books);
  books.finish();
  lines.finish();
  if (http::has_look_ups_in_flight() || observe::has_unfinished_files() || budget::has_unfinished_stores() ||
      has_unfinished_reports()) {
    std::_Exit(code);
  }
  return code;
}

}  // namespace sluice::server
