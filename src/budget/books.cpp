#include "budget/books.hpp"

#include <algorithm>
#include <limits>

#include "budget/open_books.hpp"

namespace sluice::budget {
namespace {

constexpr const char* kPutBudget =
    "INSERT INTO budgets (id, period, spent, reserved, held_until, alerted_percent) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (id, period) DO UPDATE SET spent = excluded.spent, reserved = excluded.reserved, "
    "held_until = excluded.held_until, alerted_percent = excluded.alerted_percent";

// Sums saturate: SQLite would go over to floating point. Nothing that is added is negative.
constexpr const char* kAddSpend =
    "INSERT INTO spend (hour, key, owner, model, provider, requests, input_tokens, output_tokens, cost) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (hour, key, owner, model, provider) DO UPDATE SET "
    "requests = min(requests, 9223372036854775807 - excluded.requests) + excluded.requests, "
    "input_tokens = min(input_tokens, 9223372036854775807 - excluded.input_tokens) + excluded.input_tokens, "
    "output_tokens = min(output_tokens, 9223372036854775807 - excluded.output_tokens) + excluded.output_tokens, "
    "cost = min(cost, 9223372036854775807 - excluded.cost) + excluded.cost";

std::int64_t seconds_of(std::chrono::sys_seconds time) { return time.time_since_epoch().count(); }
std::chrono::sys_seconds time_of(std::int64_t seconds) {
  return std::chrono::sys_seconds(std::chrono::seconds(seconds));
}

// Into `statement`, unless something has failed before.
void prepare_into(Database& database, const char* sql, Statement& statement, StoreResult<void>& so_far) {
  if (!so_far) return;
  auto prepared = database.prepare(sql);
  if (prepared) {
    statement = std::move(*prepared);
  } else {
    so_far = std::unexpected(std::move(prepared.error()));
  }
}

}  // namespace

std::expected<Books, std::string> Books::open(const std::string& path) {
  auto opened = open_books(path);
  if (!opened) return std::unexpected(std::move(opened.error()));
  Books books(std::move(opened->lock), std::move(opened->writer), std::move(opened->reader));
  if (auto prepared = books.prepare(); !prepared) return std::unexpected(path + ": " + prepared.error().text);
  return books;
}

Books::Books(LockFile lock, Database writer, Database reader)
    : lock_(std::move(lock)), writer_(std::move(writer)), reader_(std::move(reader)) {}

StoreResult<void> Books::prepare() {
  StoreResult<void> all;
  prepare_into(writer_, "BEGIN IMMEDIATE", begin_, all);
  prepare_into(writer_, "COMMIT", commit_, all);
  prepare_into(writer_, "ROLLBACK", rollback_, all);
  prepare_into(writer_, kPutBudget, put_budget_, all);
  prepare_into(writer_, kAddSpend, add_spend_, all);
  prepare_into(writer_, "SELECT hour FROM spend ORDER BY hour LIMIT 1", oldest_hour_, all);
  prepare_into(writer_, "DELETE FROM spend WHERE hour < ?", prune_spend_, all);
  prepare_into(writer_, "DELETE FROM budgets WHERE period <> 0 AND period < ?", prune_budgets_, all);
  prepare_into(reader_,
               "SELECT hour, key, owner, model, provider, requests, input_tokens, output_tokens, cost FROM spend "
               "WHERE hour >= ? AND hour < ?",
               read_spend_, all);
  return all;
}

StoreResult<std::vector<BudgetRow>> Books::budgets(std::chrono::sys_seconds since) {
  auto statement = writer_.prepare(
      "SELECT id, period, spent, reserved, held_until, alerted_percent FROM budgets WHERE period = 0 OR period >= ?");
  if (!statement) return std::unexpected(std::move(statement.error()));
  statement->bind(seconds_of(since));
  std::vector<BudgetRow> rows;
  for (;;) {
    auto more = statement->step();
    if (!more) return std::unexpected(std::move(more.error()));
    if (!*more) return rows;
    rows.push_back({.id = std::string(statement->text(0)),
                    .period = time_of(statement->number(1)),
                    .spent = Money::nanodollars(statement->number(2)),
                    .reserved = Money::nanodollars(statement->number(3)),
                    .held_until = time_of(statement->number(4)),
                    .alerted_percent = static_cast<unsigned>(
                        std::clamp<std::int64_t>(statement->number(5), 0, std::numeric_limits<unsigned>::max()))});
  }
}

StoreResult<void> Books::put(const BudgetRow& row) {
  put_budget_.bind(row.id).bind(seconds_of(row.period)).bind(row.spent.nanodollars());
  put_budget_.bind(row.reserved.nanodollars()).bind(seconds_of(row.held_until));
  return put_budget_.bind(std::int64_t{row.alerted_percent}).run();
}

StoreResult<void> Books::put(const SpendName& name, const SpendTotals& totals) {
  add_spend_.bind(seconds_of(name.hour)).bind(name.key).bind(name.group).bind(name.model).bind(name.provider);
  add_spend_.bind(totals.requests).bind(totals.input_tokens).bind(totals.output_tokens);
  return add_spend_.bind(totals.cost.nanodollars()).run();
}

StoreResult<void> Books::write_all(const BudgetRows& budgets, const SpendSums& spend) {
  if (auto begun = begin_.run(); !begun) return begun;
  for (const auto& [name, row] : budgets) {
    if (auto done = put(row); !done) return done;
  }
  for (const auto& [name, totals] : spend.rows()) {
    if (auto done = put(name, totals); !done) return done;
  }
  return commit_.run();
}

StoreResult<void> Books::write(const BudgetRows& budgets, const SpendSums& spend) {
  if (writer_.was_moved()) return std::unexpected(StoreError{StoreFault::kMoved, "it was moved or deleted"});
  auto written = write_all(budgets, spend);
  // Some failures have ended the transaction already.
  if (!written && writer_.in_transaction()) (void)rollback_.run();
  return written;
}

StoreResult<bool> Books::prune(std::chrono::sys_seconds spend_before, std::chrono::sys_seconds budgets_before) {
  auto pruned = prune_budgets_.bind(seconds_of(budgets_before)).run();
  if (!pruned) return std::unexpected(std::move(pruned.error()));
  auto any = oldest_hour_.step();
  if (!any) return std::unexpected(std::move(any.error()));
  const auto oldest = *any ? time_of(oldest_hour_.number(0)) : spend_before;
  oldest_hour_.reset();
  if (oldest >= spend_before) return false;
  const auto day_after = oldest + std::chrono::days(1);
  pruned = prune_spend_.bind(seconds_of(std::min(day_after, spend_before))).run();
  if (!pruned) return std::unexpected(std::move(pruned.error()));
  return day_after < spend_before;
}

void Books::begin_reading(const SpendQuery& query) {
  read_spend_.reset();
  read_spend_.bind(seconds_of(query.since)).bind(seconds_of(query.until));
}

StoreResult<bool> Books::read_some(SpendSummary& summary, std::size_t rows) {
  for (; rows > 0; --rows) {
    auto row = read_spend_.step();
    if (!row) return std::unexpected(std::move(row.error()));
    if (!*row) {
      read_spend_.reset();
      return false;
    }
    const SpendName name{time_of(read_spend_.number(0)), std::string(read_spend_.text(1)),
                         std::string(read_spend_.text(2)), std::string(read_spend_.text(3)),
                         std::string(read_spend_.text(4))};
    summary.add(name, {read_spend_.number(5), read_spend_.number(6), read_spend_.number(7),
                       Money::nanodollars(read_spend_.number(8))});
  }
  return true;
}

}  // namespace sluice::budget
