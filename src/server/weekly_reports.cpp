#include "server/weekly_reports.hpp"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <exception>
#include <system_error>
#include <utility>

#include "limit/calendar.hpp"
#include "sluice/config/units.hpp"

namespace sluice::server {
namespace {

constexpr auto kWeek = std::chrono::days(7);
constexpr int kLeastUrgent = 19;
constexpr auto kLastWait = std::chrono::seconds(2);

std::atomic<bool> g_unfinished = false;

// Requests come first where cores are short.
void step_back() { ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), kLeastUrgent); }

}  // namespace

WeeklyReports::WeeklyReports(observe::Tell tell, std::function<void(budget::WebhookMessage)> send,
                             WeeklyReportsOptions options)
    : tell_(std::move(tell)), send_(std::move(send)), options_(std::move(options)) {}

void WeeklyReports::configure(const config::Config& config) {
  if (config_ == config.weekly_report && trace_ == config.trace.path) return;
  config_ = config.weekly_report;
  trace_ = config.trace.path;
  settled_.reset();
  next_ = {};
}

void WeeklyReports::tick(TimePoint now) {
  if (thread_.joinable()) {
    if (outcome_.wait_for(milliseconds(0)) == std::future_status::ready) end(now);
    return;
  }
  if (config_.folder.empty() || now < next_) return;
  const auto begun = limit::period_start(Period::kWeek, std::chrono::floor<milliseconds>(options_.wall() - config_.at));
  const auto monday = std::chrono::floor<std::chrono::days>(begun - kWeek);
  if (settled_ == monday) return;
  try {
    begin(monday);
  } catch (const std::system_error& error) {  // there is no thread to be had
    failed(error.what(), now);
  }
}

void WeeklyReports::begin(std::chrono::sys_days monday) {
  job_ = {config_, trace_, monday, std::chrono::floor<std::chrono::seconds>(options_.wall())};
  given_up_ = std::make_shared<std::atomic<bool>>(false);
  std::packaged_task<Outcome()> make([job = job_, given_up = given_up_] {
    step_back();
    return make_weekly_report(job, [&] { return !*given_up; });
  });
  outcome_ = make.get_future();
  thread_ = std::thread(std::move(make));
}

void WeeklyReports::end(TimePoint now) {
  thread_.join();
  Outcome made;
  try {
    made = outcome_.get();
  } catch (const std::exception& error) {  // no memory
    made = std::unexpected(error.what());
  }
  if (!made) return failed(made.error(), now);
  last_failure_.clear();
  // A reload may have named another folder meanwhile.
  if (job_.config == config_ && job_.trace == trace_) settled_ = job_.monday;
  if (made->result != WeeklyResult::kWritten) return;
  ++counts_.written;
  tell_(!made->complete, "reports.weekly: " + made->path + " is written" +
                             (made->complete ? "" : "; the trace does not reach back to the week's beginning"));
  if (job_.config.webhook) send_(std::move(made->message));
}

void WeeklyReports::failed(const std::string& why, TimePoint now) {
  ++counts_.failed;
  next_ = now + options_.pause;
  if (why == std::exchange(last_failure_, why)) return;
  tell_(true, "reports.weekly: there is none, and it is tried again in " + config::format_duration(options_.pause) +
                  ": " + why);
}

void WeeklyReports::stop() {
  if (!thread_.joinable()) return;
  *given_up_ = true;
  if (outcome_.wait_for(kLastWait) == std::future_status::ready) return thread_.join();
  g_unfinished = true;
  thread_.detach();
}

bool has_unfinished_reports() { return g_unfinished; }

}  // namespace sluice::server
