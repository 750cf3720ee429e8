#pragma once
// The file of books: its tables, what may be done to them, and how it is opened. One thread at a time; everything here
// may wait for the disk.

#include <chrono>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "budget/database.hpp"
#include "budget/lock_file.hpp"
#include "budget/spend_sums.hpp"
#include "sluice/core/spend.hpp"

namespace sluice::budget {

// By id and period: the last state of each.
using BudgetRows = std::map<std::pair<std::string, std::chrono::sys_seconds>, BudgetRow>;

class Books {
 public:
  // What SpendStore::open() promises. The error is a whole sentence.
  static std::expected<Books, std::string> open(const std::string& path);

  // Budgets whose period began at `since` or later, and those that never begin anew.
  StoreResult<std::vector<BudgetRow>> budgets(std::chrono::sys_seconds since);

  // All or nothing: budgets take the place of what was written of them, spend is added to it.
  StoreResult<void> write(const BudgetRows& budgets, const SpendSums& spend);

  // Deletes spend of hours before `spend_before`, a day of it at most, and budgets whose period began before
  // `budgets_before`. Whether there is more to delete.
  StoreResult<bool> prune(std::chrono::sys_seconds spend_before, std::chrono::sys_seconds budgets_before);

  // Reads the rows of the query's time into `summary`. What is written after the first piece is not seen. One at a
  // time.
  void begin_reading(const SpendQuery& query);
  StoreResult<bool> read_some(SpendSummary& summary, std::size_t rows);  // whether there may be more
  void end_reading() { read_spend_.reset(); }

 private:
  Books(LockFile lock, Database writer, Database reader);
  StoreResult<void> prepare();
  StoreResult<void> put(const BudgetRow& row);
  StoreResult<void> put(const SpendName& name, const SpendTotals& totals);
  StoreResult<void> write_all(const BudgetRows& budgets, const SpendSums& spend);

  // The lock is given back last, and the writer's connection closes after the reader's: it empties the log.
  LockFile lock_;
  Database writer_;
  Database reader_;
  Statement begin_, commit_, rollback_;
  Statement put_budget_, add_spend_, oldest_hour_, prune_spend_, prune_budgets_;
  Statement read_spend_;
};

}  // namespace sluice::budget
