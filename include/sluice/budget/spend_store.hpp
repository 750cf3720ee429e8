#pragma once
// The books of spend on disk: one SQLite file, and one thread that alone touches it. Nobody else ever waits for the
// disk; a disk that is full, read-only, slow or locked costs no request anything.
//
// What has changed is written every `interval`, in one transaction. After a SIGKILL or a crash of the process at most
// the last interval is lost, and the file is whole. After a power cut or a crash of the system the last seconds may be
// lost, and the file is whole all the same: commits are not waited for until the disk has them (see
// src/budget/open_books.cpp).

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "sluice/core/clock.hpp"
#include "sluice/core/spend.hpp"
#include "sluice/observe/sink.hpp"

namespace sluice::budget {

// Why the file could not be read or written. The set is closed: labels.
enum class StoreFault : std::uint8_t {
  kFull,      // the disk, a quota or a limit on file sizes
  kReadOnly,  // the file, its folder or the file system
  kLocked,    // another process holds a transaction open
  kCorrupt,
  kMoved,  // moved or deleted under us
  kOther
};
inline constexpr std::size_t kStoreFaults = 6;
std::string_view to_string(StoreFault fault);  // "full", "read_only", …

enum class SpendBy : std::uint8_t { kKey, kGroup, kTeam, kModel, kProvider, kHour, kDay };

struct SpendQuery {
  std::chrono::sys_seconds since{};  // hours that begin in [since, until)
  std::chrono::sys_seconds until = std::chrono::sys_seconds::max();
  SpendBy by = SpendBy::kKey;  // kTeam: by the first segment of the group
};
// One row per value of what was asked for, which stands in its own member (a team in `group`, a day in `hour`); the
// other names are empty. Hours and days in their order, the rest dearest first. The error is for the operator.
using SpendReport = std::expected<std::vector<SpendRow>, std::string>;

struct StoreCounts {
  std::uint64_t commits = 0;
  std::uint64_t rows = 0;     // written, budgets and spend
  std::uint64_t dropped = 0;  // rows there was no room or no memory for: their spend is in no report
  std::array<std::uint64_t, kStoreFaults> errors{};  // tries that failed
  std::uint64_t waiting = 0;                         // rows in memory that the last try has left unwritten
  std::chrono::milliseconds lag{0};                  // everything older than this is in the file
};

struct SpendStoreOptions {
  std::chrono::milliseconds interval{200};
  std::chrono::days keep{400};     // hours of spend, and budgets whose period has ended
  std::size_t most_rows = 50'000;  // different rows of spend that may wait in memory, twice over; as many budgets
  observe::Tell tell = {};         // once per change of state
  std::function<std::chrono::system_clock::time_point()> wall = std::chrono::system_clock::now;
};

class SpendWriter;

class SpendStore {
 public:
  // Makes the file, and its folder, if there is none; brings an older one up to date. The error is a sentence for the
  // operator: what is wrong and what to do. It is an error if the file is damaged, of a newer version, something else
  // than books of spend, not to be written, or in use; nothing is ever begun anew in place of what cannot be read.
  // A second file, `path`.lock, keeps a second gateway out.
  static std::expected<std::unique_ptr<SpendStore>, std::string> open(const std::string& path,
                                                                      SpendStoreOptions options = {});
  // Waits a moment for finish(), if that was not called.
  ~SpendStore();
  SpendStore(const SpendStore&) = delete;
  SpendStore& operator=(const SpendStore&) = delete;

  // What earlier processes left of the budgets whose period may not be over. Before begin(); reads the disk.
  std::expected<std::vector<BudgetRow>, std::string> budgets();

  // Starts the thread, which from then on asks for what has changed (null: there are no budgets) and writes it. A row
  // that was handed over is kept until it is written; what was reserved then stays on the books until `held_until`.
  using ChangedBudgets = std::function<std::vector<BudgetRow>()>;
  void begin(ChangedBudgets changed);

  // Any thread, never waits for the disk. Negative numbers count as nothing.
  void add(SpendRow row);
  void lose();  // counts a row that there was no memory for as dropped

  // Any thread; `done` is called on the store's thread and must not block. What is not written yet is part of it. After
  // begin(). Long reports are read in pieces, between which the thread goes on writing; the sums are those of the
  // moment the report was begun.
  void report(const SpendQuery& query, std::function<void(SpendReport)> done);

  StoreCounts counts() const;  // any thread

  // The last call: asks once more what has changed, writes it and closes the file. What is still reserved then is
  // written as it stands, so settle first. False if that took longer than `most`; `changed` is not called any more in
  // either case.
  bool finish(std::chrono::milliseconds most = std::chrono::seconds(5));

 private:
  explicit SpendStore(std::shared_ptr<SpendWriter> writer);

  std::shared_ptr<SpendWriter> writer_;
  std::thread thread_;
  bool finishing_ = false;
};

// Whether a store that did not finish in time is still being written to. Such a process must leave by _Exit.
bool has_unfinished_stores();

}  // namespace sluice::budget
