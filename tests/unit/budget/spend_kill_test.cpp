// A gateway that is killed: what it had settled more than an interval before is in the file, and the file is whole.

#include <sqlite3.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <random>

#include "support/process.hpp"
#include "unit/budget/store_fixture.hpp"

namespace sluice::budget {
namespace {

constexpr milliseconds kInterval = 50ms;
constexpr milliseconds kSlack = 2s;  // a commit, and a machine that is busy with something else
constexpr int kKills = 20;

// What a child says after each settlement, in one write.
struct Said {
  TimePoint at;
  std::int64_t settled = 0;  // in all, what it began with included
  std::int64_t kept = 0;     // so much must be in the file by now
};

// Says where a child keeps its books, and that it is one.
constexpr const char* kChildOf = "SLUICE_TEST_SETTLE_IN";

// The child: settles one nano-dollar after the other until it is killed.
[[noreturn]] void settle_forever(const std::string& path) {
  SpendStoreOptions options;
  options.interval = kInterval;
  auto store = SpendStore::open(path, options);
  if (!store) ::_exit(1);
  std::int64_t begun = 0;
  for (const auto& row : *(*store)->budgets()) begun = row.spent.nanodollars();
  std::atomic<std::int64_t> settled = begun;
  (*store)->begin([&] { return std::vector{budget("a", settled, settled % 1000 + 1)}; });
  std::uint64_t commits = 0;
  std::int64_t kept = begun, next_kept = begun;
  for (;;) {
    ++settled;
    (*store)->add(spend("web", 1));
    // A commit that is under way may have missed it, the one after that has it.
    if (const auto now = (*store)->counts().commits; now >= commits + 2) {
      kept = std::exchange(next_kept, settled);
      commits = now;
    }
    const Said said{Clock::now(), settled, kept};
    if (::write(STDOUT_FILENO, &said, sizeof said) != sizeof said) ::_exit(2);
  }
}

// This program, started by the test below, never comes to its tests. (A copy made by fork alone could not be trusted:
// threads of other tests may hold a lock just then.)
[[maybe_unused]] const bool kIsNoChild = [] {
  if (const char* path = std::getenv(kChildOf)) settle_forever(path);
  return true;
}();

class Child {
 public:
  explicit Child(const std::string& path) : process_({"/proc/self/exe"}, {{kChildOf, path}}) {}

  // Listens for so long after it has first heard that something is kept.
  void listen(milliseconds time, std::int64_t begun) {
    const auto keeps = [&](const std::string& output) {
      const std::size_t count = output.size() / sizeof(Said);
      if (count == 0) return false;
      return all_said(output.substr((count - 1) * sizeof(Said))).front().kept > begun;
    };
    if (!process_.wait_output(keeps, kPatience)) throw std::runtime_error("it keeps nothing");
    process_.wait_output([](const std::string&) { return false; }, time);
  }
  // When it was; what the child had said before is heard to its end.
  TimePoint kill() {
    const TimePoint at = Clock::now();
    process_.signal(SIGKILL);
    EXPECT_EQ(process_.wait_exit(kPatience), 128 + SIGKILL) << "it has ended by itself";
    process_.wait_output([](const std::string&) { return false; }, kPatience);
    said_ = all_said(process_.output());
    return at;
  }
  const std::vector<Said>& said() const { return said_; }

 private:
  static std::vector<Said> all_said(const std::string& output) {
    std::vector<Said> said(output.size() / sizeof(Said));
    std::memcpy(said.data(), output.data(), said.size() * sizeof(Said));
    return said;
  }

  support::Process process_;
  std::vector<Said> said_;
};

std::string integrity(const std::string& path) {
  sqlite3* file = nullptr;
  sqlite3_stmt* check = nullptr;
  sqlite3_open(path.c_str(), &file);
  sqlite3_prepare_v2(file, "PRAGMA integrity_check", -1, &check, nullptr);
  std::string verdict = "nothing";
  if (sqlite3_step(check) == SQLITE_ROW) verdict = reinterpret_cast<const char*>(sqlite3_column_text(check, 0));
  sqlite3_finalize(check);
  sqlite3_close(file);
  return verdict;
}

// How old the oldest settlement is that the file lacks.
milliseconds lost(const Child& child, std::int64_t in_file, TimePoint killed) {
  for (const Said& said : child.said()) {
    if (said.settled > in_file) return std::chrono::duration_cast<milliseconds>(killed - said.at);
  }
  return 0ms;
}

TEST_F(StoreTest, AKillLosesAnIntervalAtMostAndNeverBreaksTheFile) {
  std::mt19937 random(11);
  std::int64_t spent = 0, rows = 0;
  milliseconds worst{0};
  for (int round = 0; round < kKills; ++round) {
    Child child(path());
    child.listen(milliseconds(random() % 120), spent);
    const TimePoint killed = child.kill();
    ASSERT_FALSE(child.said().empty());
    const Said last = child.said().back();

    if (round % 2 == 0) ASSERT_EQ(integrity(path()), "ok") << "after " << round + 1 << " kills";
    const auto budgets = open(options()).budgets();
    store_->begin(nullptr);
    ASSERT_TRUE(budgets && budgets->size() == 1);
    const std::int64_t now_spent = budgets->at(0).spent.nanodollars();
    EXPECT_GE(now_spent, last.kept);
    EXPECT_LE(now_spent, last.settled + 1) << "the last may not have been said";
    EXPECT_EQ(budgets->at(0), budget("a", now_spent, now_spent % 1000 + 1)) << "what was reserved is held";
    const std::int64_t now_rows = report().at(0).requests;
    EXPECT_GE(now_rows - rows, last.kept - spent);
    EXPECT_LE(now_rows - rows, last.settled - spent + 1) << "nothing is counted twice";
    worst = std::max(worst, lost(child, now_spent, killed));
    finish();
    ASSERT_EQ(integrity(path()), "ok");
    spent = now_spent;
    rows = now_rows;
  }
  EXPECT_LE(worst, kInterval + kSlack);
  RecordProperty("worst_loss_ms", static_cast<int>(worst.count()));
  RecordProperty("settled", std::to_string(spent));
}

}  // namespace
}  // namespace sluice::budget
