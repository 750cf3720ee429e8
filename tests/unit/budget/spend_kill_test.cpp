// A gateway that is killed: what it had settled more than an interval before is in the file, and the file is whole.

#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>

#include "unit/budget/store_fixture.hpp"

namespace sluice::budget {
namespace {

constexpr milliseconds kInterval = 50ms;
constexpr milliseconds kSlack = 500ms;  // a commit, and a machine that is busy with something else
constexpr int kKills = 20;

// What a child says after each settlement, in one write.
struct Said {
  TimePoint at;
  std::int64_t settled = 0;  // in all, what it began with included
  std::int64_t kept = 0;     // so much must be in the file by now
};

// The child: settles one nano-dollar after the other until it is killed.
[[noreturn]] void settle_forever(const std::string& path, int pipe) {
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
    if (::write(pipe, &said, sizeof said) != sizeof said) ::_exit(2);
  }
}

class Child {
 public:
  explicit Child(const std::string& path) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends[0]);
      settle_forever(path, ends[1]);
    }
    ::close(ends[1]);
    pipe_ = ends[0];
  }
  ~Child() { kill(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Listens for so long after it has first heard that something is kept.
  void listen(milliseconds time, std::int64_t begun) {
    auto until = TimePoint::max();
    while (Clock::now() < until) {
      if (!hear()) throw std::runtime_error("the child has ended by itself");
      if (until == TimePoint::max() && said_.back().kept > begun) until = Clock::now() + time;
    }
  }
  // When it was; what the child had said before is heard to its end.
  TimePoint kill() {
    if (pid_ <= 0) return {};
    const TimePoint at = Clock::now();
    ::kill(pid_, SIGKILL);
    while (hear()) continue;
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    ::close(pipe_);
    EXPECT_TRUE(WIFSIGNALED(status)) << "it ended before: " << status;
    return at;
  }
  const std::vector<Said>& said() const { return said_; }

 private:
  bool hear() {
    Said said;
    if (::read(pipe_, &said, sizeof said) != sizeof said) return false;
    said_.push_back(said);
    return true;
  }

  pid_t pid_ = -1;
  int pipe_ = -1;
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
