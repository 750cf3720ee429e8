#include "budget/database.hpp"

#include <array>
#include <cerrno>
#include <cstring>

namespace sluice::budget {
namespace {

constexpr int kBusyMs = 250;  // how long another process's transaction is waited for

constexpr std::array<std::string_view, kStoreFaults> kFaultNames = {"full",    "read_only", "locked",
                                                                    "corrupt", "moved",     "other"};

// What the system said when SQLite speaks of input and output only.
StoreError system_error(int number) {
  if (number == ENOSPC) return {StoreFault::kFull, "the disk is full"};
  if (number == EDQUOT) return {StoreFault::kFull, "the disk quota is used up"};
  if (number == EFBIG) return {StoreFault::kFull, "a limit on file sizes is reached"};
  if (number == EROFS) return {StoreFault::kReadOnly, "the file system is read-only"};
  if (number == EISDIR) return {StoreFault::kOther, "it is a folder"};
  if (number == EACCES || number == EPERM) return {StoreFault::kReadOnly, "this user may not write there"};
  return {StoreFault::kOther, number == 0 ? "input or output failed" : std::strerror(number)};
}

// Commits fail without saying why; their log remembers.
int errno_of(sqlite3* native) {
  if (const int number = sqlite3_system_errno(native); number != 0) return number;
  sqlite3_file* log = nullptr;
  sqlite3_file_control(native, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  int number = 0;
  if (log != nullptr && log->pMethods != nullptr) {
    log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &number);
  }
  if (number == 0) sqlite3_file_control(native, "main", SQLITE_FCNTL_LAST_ERRNO, &number);
  return number;
}

StoreError error_of(sqlite3* native) {
  switch (sqlite3_errcode(native) & 0xff) {
    case SQLITE_FULL:
      return system_error(ENOSPC);
    case SQLITE_READONLY:
      return {StoreFault::kReadOnly, "it, or its folder, is read-only"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {StoreFault::kLocked, "another process has it locked"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {StoreFault::kCorrupt, std::string("it is damaged (") + sqlite3_errmsg(native) + ")"};
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return system_error(errno_of(native));
    default:
      return {StoreFault::kOther, sqlite3_errmsg(native)};
  }
}

}  // namespace

std::string_view to_string(StoreFault fault) { return kFaultNames[static_cast<std::size_t>(fault)]; }

Statement& Statement::bind(std::int64_t number) {
  sqlite3_bind_int64(native_.get(), ++bound_, number);
  return *this;
}

Statement& Statement::bind(std::string_view text) {
  // A null pointer would be bound as NULL.
  const char* bytes = text.data() == nullptr ? "" : text.data();
  sqlite3_bind_text64(native_.get(), ++bound_, bytes, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

StoreResult<bool> Statement::step() {
  const int code = sqlite3_step(native_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  StoreError error = error_of(sqlite3_db_handle(native_.get()));
  reset();
  return std::unexpected(std::move(error));
}

StoreResult<void> Statement::run() {
  for (;;) {
    auto row = step();
    if (!row) return std::unexpected(std::move(row.error()));
    if (!*row) break;
  }
  reset();
  return {};
}

void Statement::reset() {
  sqlite3_reset(native_.get());
  bound_ = 0;
}

std::string_view Statement::text(int column) const {
  const void* bytes = sqlite3_column_text(native_.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(native_.get(), column));
  return bytes == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(bytes), size);
}

StoreResult<Database> Database::open(const std::string& path, Access access) {
  const int flags = (access == Access::kWrite ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX;
  sqlite3* native = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &native, flags, nullptr);
  Database database(native);
  if (native == nullptr) return std::unexpected(StoreError{StoreFault::kOther, "there is no memory"});
  if (code != SQLITE_OK) return std::unexpected(error_of(native));
  sqlite3_busy_timeout(native, kBusyMs);
  return database;
}

StoreResult<void> Database::run(const char* sql) {
  if (sqlite3_exec(native_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return std::unexpected(error_of(native_.get()));
}

StoreResult<Statement> Database::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(native_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return std::unexpected(error_of(native_.get()));
  }
  return Statement(statement);
}

StoreResult<std::int64_t> Database::ask_number(const char* sql) {
  auto statement = prepare(sql);
  if (!statement) return std::unexpected(std::move(statement.error()));
  auto row = statement->step();
  if (!row) return std::unexpected(std::move(row.error()));
  return *row ? statement->number(0) : 0;
}

StoreResult<std::string> Database::ask_text(const char* sql) {
  auto statement = prepare(sql);
  if (!statement) return std::unexpected(std::move(statement.error()));
  auto row = statement->step();
  if (!row) return std::unexpected(std::move(row.error()));
  return std::string(*row ? statement->text(0) : std::string_view());
}

bool Database::was_moved() const {
  int moved = 0;
  sqlite3_file_control(native_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return moved != 0;
}

}  // namespace sluice::budget
