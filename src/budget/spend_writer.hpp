#pragma once
// What waits for the books in memory, and the loop of the thread that writes it. Shared by the SpendStore and its
// thread, since a thread that hangs on a dead disk may outlive the SpendStore.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "budget/books.hpp"
#include "budget/spend_sums.hpp"
#include "sluice/budget/spend_store.hpp"

namespace sluice::budget {

class SpendWriter {
 public:
  SpendWriter(std::string path, Books books, SpendStoreOptions options);

  std::expected<std::vector<BudgetRow>, std::string> budgets();  // before the thread runs
  void set_source(SpendStore::ChangedBudgets changed);           // null: ask nobody
  void run();                                                    // the thread's, until stop()

  // From any thread.
  void add(SpendRow row);
  void lose() { ++dropped_; }
  void report(const SpendQuery& query, std::function<void(SpendReport)> done);
  StoreCounts counts() const;
  void stop();
  bool wait_ended(std::chrono::milliseconds most);

 private:
  using Lock = std::unique_lock<std::mutex>;
  struct Report {
    SpendSummary summary;
    std::function<void(SpendReport)> done;
  };

  bool wait_for_work(TimePoint due);
  void collect();
  void collect_budgets();
  void tick();
  bool write();
  void wrote();
  void failed(const StoreError& error);
  void prune(TimePoint now);
  void read_reports(TimePoint until);
  void begin_report();
  void end_report(SpendReport result);
  void end();
  void tell(bool problem, const std::string& text) const;

  // Of the thread, once it runs.
  std::string path_;
  Books books_;
  SpendStoreOptions options_;
  SpendSums collected_;  // on their way from incoming_ to spend_
  SpendSums spend_;      // collected and not written
  BudgetRows budgets_;
  std::optional<Report> report_;  // the one that is being read
  std::chrono::milliseconds pause_;
  std::optional<StoreFault> failing_;  // what the last try to write met with
  TimePoint prune_at_{};

  std::mutex source_mutex_;
  SpendStore::ChangedBudgets changed_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable ended_changed_;
  SpendSums incoming_;
  std::deque<Report> reports_;
  bool stop_ = false;
  bool ended_ = false;

  std::atomic<std::uint64_t> commits_ = 0;
  std::atomic<std::uint64_t> rows_ = 0;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::array<std::atomic<std::uint64_t>, kStoreFaults> errors_{};
  std::atomic<std::uint64_t> waiting_ = 0;
  std::atomic<TimePoint> covered_;  // everything that was settled before is in the file
};

}  // namespace sluice::budget
