#pragma once
// One of several replicas in this process: a thread with its loop, its client and its ledger.

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <future>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "redis_harness.hpp"

namespace sluice::limit {

class Replica {
 public:
  struct Setup {
    std::uint16_t port = redis_server().port();
    RedisLedgerOptions options{};
    // Of each command; a loaded machine may stand still for long.
    milliseconds deadline{20'000};
    std::string user{};
    std::string password{};
  };
  explicit Replica(Setup setup) {
    setup.options.deadline = setup.deadline;
    setup.options.log = [this](std::string_view line) {
      const std::lock_guard lock(log_mutex_);
      log_.emplace_back(line);
    };
    redis::Settings settings;
    settings.endpoints = {{"127.0.0.1", setup.port}};
    settings.deadline = setup.deadline;
    settings.connect_timeout = std::max(setup.deadline, milliseconds(1000));
    settings.max_in_flight = 100'000;
    settings.user = setup.user;
    settings.password = Secret(setup.password);
    client_ = *redis::make_client(io_, settings, nullptr);
    ledger_ = make_redis_ledger(*memory_, std::move(setup.options));
    thread_ = std::thread([this] {
      ledger_->attach(io_, *client_);
      io_.run();
    });
  }
  // As a process dies: nothing is settled, nothing is told.
  ~Replica() {
    io_.stop();
    thread_.join();
    held_.clear();
    ledger_.reset();
    client_.reset();
  }

  RedisLedger& ledger() { return *ledger_; }
  redis::Client& client() { return *client_; }  // on this replica's thread
  net::io_context& io() { return io_; }

  // Runs a task to its end on this replica's thread; several at once.
  template <class T>
  std::future<T> start(Task<T> task) {
    auto promise = std::make_shared<std::promise<T>>();
    auto future = promise->get_future();
    net::co_spawn(io_, std::move(task), [promise](const std::exception_ptr& thrown, auto... value) {
      if (thrown) return promise->set_exception(thrown);
      promise->set_value(std::move(value)...);
    });
    return future;
  }
  template <class T>
  T run(Task<T> task) {
    return start(std::move(task)).get();
  }

  Result<Verdict> admit(std::vector<Take> takes) { return run(ledger_->admit(std::move(takes), now())); }
  Standing look(const Limit& limit) {
    auto standings = run(ledger_->look({&limit}, now()));
    if (standings) return (*standings)[0];
    ADD_FAILURE() << standings.error().detail;
    return {};
  }
  static WallTime now() { return std::chrono::floor<milliseconds>(std::chrono::system_clock::now()); }

  // A grant that is given up when the replica dies, and not before. On its thread.
  Grant& hold(Grant grant) { return held_.emplace_back(std::move(grant)); }
  void let_go(Grant& grant) {
    held_.remove_if([&grant](const Grant& held) { return &held == &grant; });
  }
  // From outside.
  void post(std::function<void()> work) {
    std::promise<void> done;
    net::post(io_, [&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

  std::vector<std::string> log() const {
    const std::lock_guard lock(log_mutex_);
    return log_;
  }

 private:
  mutable std::mutex log_mutex_;
  std::vector<std::string> log_;
  net::io_context io_;
  net::executor_work_guard<Executor> work_ = net::make_work_guard(io_);
  std::unique_ptr<redis::Client> client_;
  const std::unique_ptr<MemoryLedger> memory_ = make_memory_ledger({.keep_changes = false});
  std::unique_ptr<RedisLedger> ledger_;
  std::list<Grant> held_;
  std::thread thread_;
};

}  // namespace sluice::limit
