// A disk that is full, slow or locked, and a file that is taken away: what is spent waits in memory, is told once, and
// is written when it works again.

#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "unit/budget/store_fixture.hpp"

namespace sluice::budget {
namespace {

namespace fs = std::filesystem;

class SpendFault : public StoreTest {
 protected:
  // Adds so many rows of their own until the next try fails; how many were added.
  int add_until(StoreFault fault, int most) {
    int added = 0;
    while (errors(fault) == 0 && added < most) {
      for (int i = 0; i < 50; ++i) store_->add(spend(std::string(200, 'k') + std::to_string(added++), 1));
      const auto before = store_->counts().commits;
      const auto over = [&] { return store_->counts().commits > before || errors(fault) > 0; };
      if (!eventually(over)) throw std::runtime_error(told().empty() ? "nothing happens" : told().back());
    }
    return added;
  }
  std::int64_t requests() {
    std::int64_t sum = 0;
    for (const auto& row : report({.by = SpendBy::kTeam})) sum += row.requests;
    return sum;
  }
  // Nothing is missing, in the file alone.
  void expect_in_file(std::int64_t requests_wanted, std::int64_t spent) {
    finish();
    begin(options());
    EXPECT_EQ(requests(), requests_wanted);
    EXPECT_EQ(store_->counts().waiting, 0U);
    finish();
    const auto rows = open(options()).budgets();
    ASSERT_TRUE(rows) << rows.error();
    ASSERT_EQ(rows->size(), 1U);
    EXPECT_EQ(rows->at(0).spent, Money::nanodollars(spent));
  }
  // While nothing can be written: everything goes on, and is seen.
  void expect_waiting(StoreFault fault, int added) {
    change(budget("a", 77));
    const auto tries = errors(fault);
    EXPECT_TRUE(eventually([&] { return errors(fault) >= tries + 2; })) << "it is tried again and again";
    EXPECT_EQ(requests(), added);
    EXPECT_GT(store_->counts().waiting, 0U);
    EXPECT_EQ(told("cannot be written: "), 1) << "told once";
    EXPECT_EQ(told().size(), 1U);
  }
  void expect_recovered() {
    EXPECT_TRUE(eventually([&] { return store_->counts().waiting == 0 && told("is written again") == 1; }));
    EXPECT_EQ(told().size(), 2U);
    EXPECT_EQ(store_->counts().dropped, 0U);
  }
};

TEST_F(SpendFault, AFullDiskCostsNothingAndIsWrittenToWhenThereIsRoom) {
  const std::string at = path("disk");
  fs::create_directory(at);
  if (::mount("tmpfs", at.c_str(), "tmpfs", 0, "size=512k") != 0) GTEST_SKIP() << "mounting is not allowed here";
  fs::create_symlink("disk/sluice.db", path());
  std::ofstream(at + "/ballast") << std::string(256 * 1024, 'x');
  begin(options(1ms));
  const int added = add_until(StoreFault::kFull, 5000);
  ASSERT_LT(added, 5000) << "the disk is too large";
  expect_waiting(StoreFault::kFull, added);
  EXPECT_EQ(told("the disk is full; what is spent waits in memory"), 1);
  EXPECT_EQ(::mount("tmpfs", at.c_str(), "tmpfs", MS_REMOUNT, "size=64m"), 0);
  expect_recovered();
  expect_in_file(added, 77);
  store_.reset();
  ::umount2(at.c_str(), MNT_DETACH);
}

TEST_F(SpendFault, ALimitOnFileSizesIsOneMoreFullDisk) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{.rlim_cur = 256 * 1024, .rlim_max = before.rlim_max};
  begin(options(1ms));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const int added = add_until(StoreFault::kFull, 5000);
  EXPECT_LT(added, 5000);
  expect_waiting(StoreFault::kFull, added);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(told("a limit on file sizes is reached"), 1);
  expect_recovered();
  expect_in_file(added, 77);
}

TEST_F(SpendFault, ATransactionOfAnotherProgramIsWaitedOut) {
  begin(options(1ms));
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  store_->add(spend("web", 1));
  ASSERT_TRUE(eventually([&] { return errors(StoreFault::kLocked) > 0; }));
  expect_waiting(StoreFault::kLocked, 1);
  EXPECT_EQ(told("another process has it locked"), 1);
  EXPECT_GT(store_->counts().lag, 200ms) << "and seen in the lag";
  ASSERT_EQ(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  expect_recovered();
  expect_in_file(1, 77);
}

TEST_F(SpendFault, ATransactionThatFailsInTheMiddleIsTakenBackWhole) {
  begin(options(1ms));
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &other), SQLITE_OK);
  const char* refuse =
      "CREATE TRIGGER refuse BEFORE INSERT ON spend WHEN new.key = 'web' BEGIN SELECT RAISE(ABORT, ''); END";
  ASSERT_EQ(sqlite3_exec(other, refuse, nullptr, nullptr, nullptr), SQLITE_OK);
  for (const char* key : {"a", "b", "web", "c", "d"}) store_->add(spend(key, 1));
  ASSERT_TRUE(eventually([&] { return errors(StoreFault::kOther) > 0; }));
  expect_waiting(StoreFault::kOther, 5);
  ASSERT_EQ(sqlite3_exec(other, "DROP TRIGGER refuse", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  expect_recovered();
  expect_in_file(5, 77);
}

TEST_F(SpendFault, AddingNeverWaitsForTheDisk) {
  begin(options(1ms));
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  store_->add(spend("web", 1));
  ASSERT_TRUE(eventually([&] { return errors(StoreFault::kLocked) > 0; }));
  // The thread spends nearly all of its time waiting for the lock now, a quarter of a second at once.
  const auto tries = errors(StoreFault::kLocked);
  std::int64_t added = 1;
  while (errors(StoreFault::kLocked) < tries + 3) {
    store_->add(spend("web", 1));
    ++added;
  }
  EXPECT_GT(added, 1000) << "whoever waited for the lock as well would have added three or four";
  sqlite3_close(other);
  change(budget("a", 1));
  expect_recovered();
  expect_in_file(added, 1);
}

TEST_F(SpendFault, AFileThatWasTakenAwayIsMissed) {
  begin(options(1ms));
  store_->add(spend("web", 1));
  ASSERT_TRUE(eventually([&] { return store_->counts().commits == 1; }));
  fs::rename(path(), path("elsewhere.db"));
  store_->add(spend("web", 1));
  ASSERT_TRUE(eventually([&] { return errors(StoreFault::kMoved) > 0; }));
  expect_waiting(StoreFault::kMoved, 2);
  EXPECT_EQ(told("it was moved or deleted"), 1);
  EXPECT_FALSE(fs::exists(path())) << "and none is begun in its place";
  fs::rename(path("elsewhere.db"), path());
  expect_recovered();
  expect_in_file(2, 77);
}

TEST_F(SpendFault, WhatIsLostAtTheEndIsTold) {
  begin(options());
  store_->add(spend("web", 1));
  change(budget("a", 1));
  fs::remove(path());
  EXPECT_TRUE(store_->finish(kPatience));
  EXPECT_EQ(told("it was moved or deleted"), 1);
  EXPECT_EQ(told("changes lost at the end: 2"), 1);
}

TEST_F(SpendFault, WhileNothingCanBeWrittenMemoryIsBounded) {
  auto few = options(1ms);
  few.most_rows = 10;
  begin(few);
  fs::rename(path(), path("elsewhere.db"));
  for (int i = 0; i < 100; ++i) {
    store_->add(spend("key " + std::to_string(i), 1));
    change(budget("budget " + std::to_string(i), 1));
  }
  ASSERT_TRUE(eventually([&] { return errors(StoreFault::kMoved) >= 3; }));
  for (int i = 0; i < 100; ++i) store_->add(spend("key " + std::to_string(i), 1));
  const auto tries = errors(StoreFault::kMoved);
  ASSERT_TRUE(eventually([&] { return errors(StoreFault::kMoved) >= tries + 2; }));
  EXPECT_EQ(store_->counts().waiting, 20U);
  EXPECT_GE(store_->counts().dropped, 90U + 90 + 90);
}

}  // namespace
}  // namespace sluice::budget
