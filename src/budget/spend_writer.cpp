#include "budget/spend_writer.hpp"

#include <algorithm>
#include <utility>

namespace sluice::budget {
namespace {

using std::chrono::days;
using std::chrono::seconds;

constexpr auto kLongestPause = milliseconds(1000);  // between two tries while nothing can be written
constexpr auto kPruneInterval = std::chrono::hours(1);
constexpr auto kLongestPeriod = days(31);
constexpr int kLastTries = 4;              // at the end; a lock of another process is waited for in each
constexpr std::size_t kMostReports = 16;   // that wait for each other
constexpr std::size_t kRowsAtOnce = 1024;  // of a report, between two looks at the clock

}  // namespace

SpendWriter::SpendWriter(std::string path, Books books, SpendStoreOptions options)
    : path_(std::move(path)),
      books_(std::move(books)),
      options_(std::move(options)),
      pause_(options_.interval),
      covered_(Clock::now()) {}

std::expected<std::vector<BudgetRow>, std::string> SpendWriter::budgets() {
  auto rows = books_.budgets(std::chrono::floor<seconds>(options_.wall()) - kLongestPeriod);
  if (!rows) return std::unexpected(path_ + ": " + rows.error().text);
  return std::move(*rows);
}

void SpendWriter::set_source(SpendStore::ChangedBudgets changed) {
  const std::lock_guard lock(source_mutex_);
  changed_ = std::move(changed);
}

void SpendWriter::run() {
  for (auto due = Clock::now() + pause_; wait_for_work(due);) {
    if (Clock::now() >= due) {
      tick();
      due = Clock::now() + pause_;
    }
    read_reports(due);
  }
  end();
}

// Until `due`, or until there is a report to read. False: the end.
bool SpendWriter::wait_for_work(TimePoint due) {
  Lock lock(mutex_);
  if (!report_) wake_.wait_until(lock, due, [this] { return stop_ || !reports_.empty(); });
  return !stop_;
}

void SpendWriter::tick() {
  const TimePoint now = Clock::now();
  collect();
  if (!write()) return;
  covered_ = now;
  if (now >= prune_at_) prune(now);
}

// Whoever adds waits for an exchange of pointers at most.
void SpendWriter::collect() {
  {
    const Lock lock(mutex_);
    std::swap(collected_, incoming_);
  }
  dropped_ += spend_.take(collected_, options_.most_rows);
  collect_budgets();
}

void SpendWriter::collect_budgets() {
  const std::lock_guard lock(source_mutex_);
  if (!changed_) return;
  for (BudgetRow& row : changed_()) {
    std::pair name(row.id, row.period);
    if (const auto known = budgets_.find(name); known != budgets_.end()) {
      known->second = std::move(row);
    } else if (budgets_.size() < options_.most_rows) {
      budgets_.emplace(std::move(name), std::move(row));
    } else {
      ++dropped_;
    }
  }
}

bool SpendWriter::write() {
  if (spend_.empty() && budgets_.empty()) return true;
  if (auto written = books_.write(budgets_, spend_); !written) {
    failed(written.error());
    return false;
  }
  wrote();
  return true;
}

void SpendWriter::wrote() {
  ++commits_;
  rows_ += spend_.size() + budgets_.size();
  spend_.clear();
  budgets_.clear();
  waiting_ = 0;
  pause_ = options_.interval;
  if (std::exchange(failing_, std::nullopt)) tell(false, "is written again");
}

void SpendWriter::failed(const StoreError& error) {
  ++errors_[static_cast<std::size_t>(error.fault)];
  waiting_ = spend_.size() + budgets_.size();
  pause_ = std::max(options_.interval, std::min(2 * pause_, kLongestPause));
  if (std::exchange(failing_, error.fault) == error.fault) return;
  tell(true, "cannot be written: " + error.text + "; what is spent waits in memory, and it is tried again");
}

// One day's rows a tick, so that a long absence costs no long wait.
void SpendWriter::prune(TimePoint now) {
  const auto before = std::chrono::floor<seconds>(options_.wall()) - options_.keep;
  const auto more = books_.prune(before, before - kLongestPeriod);
  if (!more) ++errors_[static_cast<std::size_t>(more.error().fault)];
  if (!more || !*more) prune_at_ = now + kPruneInterval;
}

// One report after the other, until it is time to write.
void SpendWriter::read_reports(TimePoint until) {
  do {
    if (!report_) begin_report();
    if (!report_) return;
    const auto more = books_.read_some(report_->summary, kRowsAtOnce);
    if (!more) {
      ++errors_[static_cast<std::size_t>(more.error().fault)];
      end_report(std::unexpected(path_ + " cannot be read: " + more.error().text));
    } else if (!*more) {
      end_report(report_->summary.rows());
    }
  } while (Clock::now() < until);
}

// The first piece is read before the next commit: what is collected and what the file holds make up all there is.
void SpendWriter::begin_report() {
  {
    const Lock lock(mutex_);
    if (reports_.empty()) return;
    report_ = std::move(reports_.front());
    reports_.pop_front();
  }
  collect();
  for (const auto& [name, totals] : spend_.rows()) report_->summary.add(name, totals);
  books_.begin_reading(report_->summary.query());
}

void SpendWriter::end_report(SpendReport result) {
  books_.end_reading();
  auto done = std::move(report_->done);
  report_.reset();
  done(std::move(result));
}

void SpendWriter::end() {
  const SpendReport stopped = std::unexpected("the gateway stops");
  if (report_) end_report(stopped);
  std::deque<Report> unread;
  {
    const Lock lock(mutex_);
    unread.swap(reports_);
  }
  for (Report& report : unread) report.done(stopped);
  collect();
  for (int tries = 1; !write() && tries < kLastTries; ++tries) continue;
  if (const auto left = spend_.size() + budgets_.size(); left > 0) {
    tell(true, "changes lost at the end: " + std::to_string(left));
  }
  const Lock lock(mutex_);
  ended_ = true;
  ended_changed_.notify_all();
}

void SpendWriter::add(SpendRow row) {
  Lock lock(mutex_);
  if (incoming_.add(std::move(row), options_.most_rows)) return;
  lock.unlock();
  ++dropped_;
}

void SpendWriter::report(const SpendQuery& query, std::function<void(SpendReport)> done) {
  Lock lock(mutex_);
  if (!stop_ && reports_.size() < kMostReports) {
    reports_.push_back({SpendSummary(query), std::move(done)});
    wake_.notify_one();
    return;
  }
  const char* why = stop_ ? "the gateway stops" : "too many reports at once; ask again in a moment";
  lock.unlock();
  done(std::unexpected(why));
}

StoreCounts SpendWriter::counts() const {
  StoreCounts counts{.commits = commits_, .rows = rows_, .dropped = dropped_, .waiting = waiting_};
  std::ranges::copy(errors_, counts.errors.begin());
  counts.lag = std::chrono::duration_cast<milliseconds>(Clock::now() - covered_.load());
  return counts;
}

void SpendWriter::stop() {
  const Lock lock(mutex_);
  stop_ = true;
  wake_.notify_one();
}

bool SpendWriter::wait_ended(milliseconds most) {
  Lock lock(mutex_);
  return ended_changed_.wait_for(lock, most, [this] { return ended_; });
}

void SpendWriter::tell(bool problem, const std::string& text) const {
  if (options_.tell) options_.tell(problem, path_ + ": " + text);
}

}  // namespace sluice::budget
