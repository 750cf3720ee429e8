#pragma once
// One thread with its event loop, its listener and everything that belongs to the connections it accepted.

#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>

#include "server/listener.hpp"
#include "server/loop_lag.hpp"
#include "server/recent_records.hpp"
#include "server/session.hpp"
#include "sluice/budget/spend_store.hpp"
#include "sluice/observe/sampling.hpp"
#include "sluice/observe/sink.hpp"
#include "sluice/redis/client.hpp"

namespace sluice::server {

// Where finished records go; null: nowhere.
struct Sinks {
  std::shared_ptr<observe::LineFile> trace;
  std::shared_ptr<observe::LineFile> log;
  std::shared_ptr<budget::SpendStore> spend;
  observe::SampleRules sample;  // which records the trace gets
};

class Worker {
 public:
  // The budget outlives it.
  Worker(const config::Config& config, observe::SeriesBudget& series);
  ~Worker();

  // Before the thread runs.
  net::io_context& io() { return io_; }
  http::Client& upstreams() { return *upstreams_; }
  void set_redis(std::unique_ptr<redis::Client> client) { redis_ = std::move(client); }
  redis::Client* redis() { return redis_.get(); }  // null: none is configured; of this thread
  void listen(Acceptor acceptor, ConnectionSlots& slots, bool essential = false);
  void shed_on(const std::atomic<bool>& shedding) { context_.shedding = &shedding; }
  // On each beat of the loop, ten times a second: what an exception left undone is taken up again.
  void on_beat(std::function<void()> call) { on_beat_ = std::move(call); }
  void run();           // on the calling thread, until stop(); an exception that comes out of a handler ends nothing
  void start_thread();  // run() on a thread of its own

  // From any thread; carried out on the worker's.
  void set_service(std::shared_ptr<const Service> service, const config::Config& config);
  void set_sinks(Sinks sinks);
  void begin_drain();  // close after the answers under way
  void stop_accepting();
  void close_idle();
  void cut_sessions();  // end what is still under way
  // Out of memory: the exchanges that hold the most are cut until so many bytes are given up.
  void cut_largest(std::size_t bytes);
  void stop();
  void join();
  // Whether there are connections, or may be some yet. Any thread.
  std::size_t sessions() const { return session_count_; }
  bool accepting() const { return accepting_; }
  std::uint64_t beats() const { return loop_lag_.beats(); }

  // On the worker's thread.
  const observe::Metrics& metrics() const { return metrics_; }
  UpstreamCounts upstream_counts() const { return upstreams_->counts(); }
  const RecentRecords& recent() const { return recent_; }
  const InFlight::List& in_flight() const { return in_flight_; }
  void flush_lines();

 private:
  void open_session(std::shared_ptr<Session> session, ConnectionSlots::Slot slot);
  void close_session(Session& session);
  void stop_once_empty();
  std::vector<Session*> sessions_now() const;
  void take(const observe::Record& record);
  void trace(const observe::Record& record);
  void arm_wheel(TimePoint when);
  void turn_wheel();
  void beat();
  bool keep_going();
  void note_escaped(const std::exception& thrown);

  // Lines that are not handed over yet.
  struct Lines {
    std::string text;
    std::uint64_t count = 0;
    std::size_t usual = 0;  // bytes of the batch before: room for as many is made at once
    // `append(text)` says how many lines it has added.
    template <class Append>
    void add(observe::LineFile& file, const Append& append);
    void hand_over(observe::LineFile& file);
  };

  // What connections refer to stands before the loop that may hold the last of them.
  TimerWheel wheel_;
  TimePoint wheel_due_ = kNever;
  observe::Metrics metrics_;
  RecentRecords recent_;
  InFlight::List in_flight_;
  std::unordered_map<Session*, ConnectionSlots::Slot> open_;
  std::atomic<std::size_t> session_count_ = 0;
  bool draining_ = false;
  bool stopping_ = false;
  net::io_context io_{1};
  net::executor_work_guard<Executor> work_;
  net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> wheel_timer_;
  TimerWheel::Timer flush_timer_;
  std::unique_ptr<http::Client> upstreams_;
  std::unique_ptr<redis::Client> redis_;
  std::shared_ptr<const Service> service_;
  Sinks sinks_;
  Lines trace_lines_;
  Lines log_lines_;
  SessionContext context_;
  LoopLag loop_lag_;
  std::function<void()> on_beat_;
  bool told_escaped_ = false;
  std::atomic<bool> accepting_ = false;
  std::shared_ptr<Listener> listener_;
  std::thread thread_;
};

}  // namespace sluice::server
