#pragma once
// A store in a folder of its own, a wall clock that the test moves, and a note of all that operators were told.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "sluice/budget/spend_store.hpp"
#include "support/temp_dir.hpp"

namespace sluice::budget {

using namespace std::literals;
using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

inline constexpr auto kAges = 1h;       // an interval that no test waits for
inline constexpr auto kPatience = 60s;  // a loaded machine may stand still for seconds
inline constexpr sys_seconds kNoon = sys_days(std::chrono::year(2026) / 11 / 20) + 12h;
inline constexpr sys_seconds kMonth = sys_days(std::chrono::year(2026) / 11 / 1);

inline SpendRow spend(const std::string& key, std::int64_t nano, sys_seconds hour = kNoon) {
  return {.hour = hour,
          .key = key,
          .group = "acme/search",
          .model = "chat",
          .provider = "openai",
          .requests = 1,
          .input_tokens = 10,
          .output_tokens = 5,
          .cost = Money::nanodollars(nano)};
}

// Of the month that kNoon lies in.
inline BudgetRow budget(const std::string& id, std::int64_t spent, std::int64_t reserved = 0) {
  return {.id = id,
          .period = kMonth,
          .spent = Money::nanodollars(spent),
          .reserved = Money::nanodollars(reserved),
          .held_until = kNoon + 10min,
          .alerted_percent = 0};
}

class StoreTest : public ::testing::Test {
 protected:
  void TearDown() override { store_.reset(); }

  std::string path(const std::string& name = "sluice.db") const { return folder_.path(name); }

  SpendStoreOptions options(milliseconds interval = kAges) {
    SpendStoreOptions options;
    options.interval = interval;
    options.wall = [this] { return wall_.load(); };
    options.tell = [this](bool, const std::string& text) {
      const std::lock_guard lock(mutex_);
      told_.push_back(text);
    };
    return options;
  }
  SpendStore& open(SpendStoreOptions with) {
    store_.reset();
    auto opened = SpendStore::open(path(), std::move(with));
    if (!opened) throw std::runtime_error(opened.error());
    store_ = std::move(*opened);
    return *store_;
  }
  // Opened, with its thread.
  SpendStore& begin(SpendStoreOptions with) {
    SpendStore& store = open(std::move(with));
    store.begin([this] { return changed(); });
    return store;
  }
  void finish() {
    EXPECT_TRUE(store_->finish(kPatience));
    store_.reset();
  }
  // Why the file cannot be opened; empty if it can.
  std::string open_error() {
    auto opened = SpendStore::open(path(), options());
    return opened ? "" : opened.error();
  }

  // What the ledger says when it is asked next.
  void change(const BudgetRow& row) {
    const std::lock_guard lock(mutex_);
    changed_.push_back(row);
  }

  std::vector<SpendRow> report(const SpendQuery& query = {}) {
    const SpendReport result = try_report(query);
    if (!result) throw std::runtime_error(result.error());
    return *result;
  }
  SpendReport try_report(const SpendQuery& query = {}) {
    auto promise = std::make_shared<std::promise<SpendReport>>();
    auto future = promise->get_future();
    store_->report(query, [promise](SpendReport result) { promise->set_value(std::move(result)); });
    if (future.wait_for(kPatience) != std::future_status::ready) throw std::runtime_error("no report came");
    return future.get();
  }

  static bool eventually(const std::function<bool()>& condition) {
    const auto due = Clock::now() + kPatience;
    while (!condition()) {
      if (Clock::now() > due) return false;
      std::this_thread::sleep_for(1ms);
    }
    return true;
  }
  std::uint64_t errors(StoreFault fault) const { return store_->counts().errors[static_cast<std::size_t>(fault)]; }
  std::vector<std::string> told() const {
    const std::lock_guard lock(mutex_);
    return told_;
  }
  std::ptrdiff_t told(std::string_view part) const {
    return std::ranges::count_if(told(), [&](const auto& text) { return text.find(part) != text.npos; });
  }

  const support::TempDir folder_;
  std::atomic<std::chrono::system_clock::time_point> wall_{kNoon};
  std::unique_ptr<SpendStore> store_;

 private:
  std::vector<BudgetRow> changed() {
    const std::lock_guard lock(mutex_);
    return std::exchange(changed_, {});
  }

  mutable std::mutex mutex_;
  std::vector<std::string> told_;
  std::vector<BudgetRow> changed_;
};

}  // namespace sluice::budget
