#pragma once
// SQLite as values: connections and prepared statements that close themselves, errors that are returned. One thread at
// a time.

#include <sqlite3.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "sluice/budget/spend_store.hpp"

namespace sluice::budget {

struct StoreError {
  StoreFault fault = StoreFault::kOther;
  std::string text;  // for the operator: "the disk is full"
};
template <class T>
using StoreResult = std::expected<T, StoreError>;

// Runs again and again: bind the parameters in their order, step, reset.
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* native) : native_(native) {}

  Statement& bind(std::int64_t number);
  Statement& bind(std::string_view text);  // must outlive the steps
  StoreResult<bool> step();                // whether there is a row
  StoreResult<void> run();                 // to its end, and reset
  void reset();

  std::int64_t number(int column) const { return sqlite3_column_int64(native_.get(), column); }
  std::string_view text(int column) const;  // until the next step

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* native) const { sqlite3_finalize(native); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> native_;
  int bound_ = 0;
};

class Database {
 public:
  enum class Access : std::uint8_t { kRead, kWrite };
  // The file must exist. A lock of another process is waited for, for a moment only.
  static StoreResult<Database> open(const std::string& path, Access access);

  StoreResult<void> run(const char* sql);
  StoreResult<Statement> prepare(const char* sql);
  StoreResult<std::int64_t> ask_number(const char* sql);
  StoreResult<std::string> ask_text(const char* sql);

  bool is_read_only() const { return sqlite3_db_readonly(native_.get(), "main") == 1; }
  bool was_moved() const;  // its name leads elsewhere, or nowhere
  bool in_transaction() const { return sqlite3_get_autocommit(native_.get()) == 0; }

 private:
  struct Close {
    void operator()(sqlite3* native) const { sqlite3_close_v2(native); }
  };
  explicit Database(sqlite3* native) : native_(native) {}

  std::unique_ptr<sqlite3, Close> native_;
};

}  // namespace sluice::budget
