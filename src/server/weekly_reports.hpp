#pragma once
// Makes the weekly report when its time has come, once per week, on a thread of its own; what was due while no process
// ran is made at the start, for the last week. Of the main thread.

#include <atomic>
#include <chrono>
#include <expected>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "server/weekly_report.hpp"
#include "sluice/core/clock.hpp"
#include "sluice/observe/sink.hpp"

namespace sluice::server {

struct WeeklyReportsOptions {
  milliseconds pause = std::chrono::minutes(10);  // after one that could not be made
  std::function<std::chrono::system_clock::time_point()> wall = std::chrono::system_clock::now;
};

struct ReportCounts {
  std::uint64_t written = 0;
  std::uint64_t failed = 0;
};

class WeeklyReports {
 public:
  // `send` gets what is to go to the webhook.
  WeeklyReports(observe::Tell tell, std::function<void(budget::WebhookMessage)> send,
                WeeklyReportsOptions options = {});
  ~WeeklyReports() { stop(); }
  WeeklyReports(const WeeklyReports&) = delete;
  WeeklyReports& operator=(const WeeklyReports&) = delete;

  // At the start and at each reload.
  void configure(const config::Config& config);
  // Now and then, once the process serves: looks whether a report is due or done.
  void tick(TimePoint now);
  // Gives up what is being made. Waits a moment for that, not for a disk that hangs.
  void stop();

  bool making() const { return thread_.joinable(); }
  ReportCounts counts() const { return counts_; }

 private:
  using Outcome = std::expected<WeeklyOutcome, std::string>;

  void begin(std::chrono::sys_days monday);
  void end(TimePoint now);
  void failed(const std::string& why, TimePoint now);

  const observe::Tell tell_;
  const std::function<void(budget::WebhookMessage)> send_;
  const WeeklyReportsOptions options_;
  config::WeeklyReport config_;
  std::string trace_;
  std::optional<std::chrono::sys_days> settled_;  // the week that there is nothing to do for any more
  TimePoint next_{};                              // not before that
  std::string last_failure_;                      // told once
  ReportCounts counts_;

  WeeklyJob job_;  // of the thread, while there is one
  std::thread thread_;
  std::future<Outcome> outcome_;
  std::shared_ptr<std::atomic<bool>> given_up_;
};

// Whether a report that was given up is still being written. Such a process must leave by _Exit.
bool has_unfinished_reports();

}  // namespace sluice::server
