#pragma once
// One thread with its event loop, its listener and everything that belongs to the connections it accepted.

#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <thread>
#include <unordered_set>

#include "server/session.hpp"
#include "sluice/observe/sink.hpp"

namespace sluice::server {

using Acceptor = net::basic_socket_acceptor<net::ip::tcp, Executor>;

// Bound and listening; several with the same address share its connections (SO_REUSEPORT).
std::expected<Acceptor, std::string> open_listener(net::io_context& io, const config::Address& address);

struct Sinks {
  std::shared_ptr<observe::LineFile> trace;  // null: no trace
  std::shared_ptr<observe::LineFile> log;    // null: no request lines
};

class Worker {
 public:
  explicit Worker(const config::Config& config);
  ~Worker();

  // Before the thread runs.
  net::io_context& io() { return io_; }
  void listen(Acceptor acceptor) { acceptor_.emplace(std::move(acceptor)); }
  void run();           // on the calling thread, until stop()
  void start_thread();  // run() on a thread of its own

  // From any thread; carried out on the worker's.
  void set_service(std::shared_ptr<const Service> service, const config::Config& config);
  void set_sinks(Sinks sinks);
  void begin_drain();  // close after the answers under way
  void stop_accepting();
  void cut_sessions();  // end what is still under way
  void stop();
  void join();
  std::size_t sessions() const { return session_count_; }

  // On the worker's thread.
  const observe::Metrics& metrics() const { return metrics_; }
  void flush_lines();

 private:
  Task<void> accept_loop();
  void take(const observe::Record& record);
  void arm_wheel(TimePoint when);

  // What connections refer to stands before the loop that may hold the last of them.
  TimerWheel wheel_;
  observe::Metrics metrics_;
  net::io_context io_{1};
  net::executor_work_guard<Executor> work_;
  net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> wheel_timer_;
  TimerWheel::Timer flush_timer_;
  std::unique_ptr<http::Client> upstreams_;
  std::shared_ptr<const Service> service_;
  Sinks sinks_;
  std::string trace_lines_;
  std::string log_lines_;
  std::uint64_t pending_lines_ = 0;
  bool draining_ = false;
  bool stopping_ = false;
  SessionContext context_;
  std::unordered_set<Session*> open_;
  std::atomic<std::size_t> session_count_ = 0;
  std::optional<Acceptor> acceptor_;
  std::thread thread_;
};

}  // namespace sluice::server
