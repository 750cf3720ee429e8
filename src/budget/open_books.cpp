#include "budget/open_books.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace sluice::budget {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kApplication = 0x534c4345;  // "SLCE", in the file's header
// Bytes; takes about a tenth of a second, and a gateway that was killed must be back soon. Of a larger file the budgets
// are checked, and the rest when it is read.
constexpr std::uintmax_t kMostCheckedWhole = std::uintmax_t{16} * 1024 * 1024;

// The step from each version of the tables to the next; the number of steps is the version. Never edit one that was
// released. Money is in nano-dollars, times are seconds since the epoch.
constexpr std::array<const char*, 1> kSteps = {
    "CREATE TABLE budgets (id TEXT NOT NULL, period INTEGER NOT NULL, spent INTEGER NOT NULL, "
    "reserved INTEGER NOT NULL, held_until INTEGER NOT NULL, alerted_percent INTEGER NOT NULL, "
    "PRIMARY KEY (id, period)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE spend (hour INTEGER NOT NULL, key TEXT NOT NULL, owner TEXT NOT NULL, model TEXT NOT NULL, "
    "provider TEXT NOT NULL, requests INTEGER NOT NULL, input_tokens INTEGER NOT NULL, "
    "output_tokens INTEGER NOT NULL, cost INTEGER NOT NULL, "
    "PRIMARY KEY (hour, key, owner, model, provider)) STRICT, WITHOUT ROWID;"};
constexpr auto kVersion = static_cast<std::int64_t>(kSteps.size());

// In WAL mode NORMAL waits for the disk at checkpoints only. A commit is then in the system's cache, which outlives the
// process however it dies. A power cut may take with it what the system had not written back yet, half a minute as a
// rule; the log's checksums end it before the first commit that is not whole, so what is left is consistent. FULL would
// save that half minute at the price of an fsync per interval, which wears small disks out and stalls on busy ones.
constexpr const char* kSettings = "PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216";

std::string advice(StoreFault fault) {
  switch (fault) {
    case StoreFault::kFull:
      return "make room and start again";
    case StoreFault::kReadOnly:
      return "make the file and its folder writable for this user";
    case StoreFault::kLocked:
      return "end whatever has it open and start again";
    case StoreFault::kCorrupt:
      return "put a backup in its place, or move it and its -wal away to begin with empty books";
    default:
      return "see to that and start again";
  }
}

std::unexpected<StoreError> system_failure(int number) {
  const bool denied = number == EACCES || number == EPERM || number == EROFS;
  const bool full = number == ENOSPC || number == EDQUOT;
  const auto fault = denied ? StoreFault::kReadOnly : full ? StoreFault::kFull : StoreFault::kOther;
  return std::unexpected(StoreError{fault, std::string("it cannot be written: ") + std::strerror(number)});
}

// A problem whose remedy is its own.
std::unexpected<std::string> wrong(const std::string& path, const std::string& text) {
  return std::unexpected(path + ": " + text);
}
std::unexpected<std::string> wrong(const std::string& path, const StoreError& error) {
  return wrong(path, error.text + "; " + advice(error.fault));
}

// SQLite would take an empty file for a new one, and delete a log that has lost its database.
std::expected<void, std::string> check_there(const std::string& path) {
  std::error_code failed;
  const bool exists = fs::exists(path, failed);
  if (exists && fs::is_regular_file(path, failed) && fs::file_size(path, failed) == 0) {
    return wrong(path,
                 "it is empty, which books never are; put a backup in its place, or remove it to begin with "
                 "empty books");
  }
  const std::string log = path + "-wal";
  if (exists || !fs::exists(log, failed)) return {};
  return wrong(path, "it is missing, but " + log +
                         " holds what was written to it last; put the file back, or move that away to begin with "
                         "empty books");
}

// With rights of our own choice, which SQLite gives to the files beside it too.
StoreResult<void> make_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (file < 0) return system_failure(errno);
  ::close(file);
  return {};
}

// Reads only: a file that is not ours stays as it is. The version of its tables.
std::expected<std::int64_t, std::string> check_identity(const std::string& path, Database& database) {
  const auto application = database.ask_number("PRAGMA application_id");
  if (!application) return wrong(path, application.error());
  const auto version = database.ask_number("PRAGMA user_version");
  if (!version) return wrong(path, version.error());
  if (*application != kApplication || *version <= 0) {
    return wrong(path, "it is a database of something else; give state.path another name");
  }
  if (*version > kVersion) {
    return wrong(path, "it is of a newer version of Sluice (its tables are of version " + std::to_string(*version) +
                           ", this one knows " + std::to_string(kVersion) +
                           "); start that one, or move the file and its -wal away to begin with empty books");
  }
  return *version;
}

StoreResult<void> use_log(Database& database) {
  auto mode = database.ask_text("PRAGMA journal_mode = WAL");
  if (!mode) return std::unexpected(std::move(mode.error()));
  if (*mode != "wal") {
    return std::unexpected(
        StoreError{StoreFault::kOther, "its file system cannot hold a write-ahead log: is it local?"});
  }
  return database.run(kSettings);
}

// Takes the lock for writing even when there is nothing to do, to see whether it can be had.
StoreResult<void> migrate(Database& database, std::int64_t version) {
  std::string script = "BEGIN IMMEDIATE;";
  for (auto step = static_cast<std::size_t>(version); step < kSteps.size(); ++step) script += kSteps[step];
  if (version < kVersion) {
    script += "PRAGMA application_id = " + std::to_string(kApplication) + ";";
    script += "PRAGMA user_version = " + std::to_string(kVersion) + ";";
  }
  return database.run((script + "COMMIT").c_str());
}

// Without a log, so that all of it is in the one file.
StoreResult<void> fill(const std::string& path) {
  if (auto made = make_file(path); !made) return made;
  auto database = Database::open(path, Database::Access::kWrite);
  if (!database) return std::unexpected(std::move(database.error()));
  return migrate(*database, 0);
}

// Under another name until it is complete: whenever that is interrupted, there are either books or none.
std::expected<void, std::string> make_books(const std::string& path) {
  const std::string unfinished = path + ".new";
  std::error_code failed;
  for (const char* part : {"", "-wal", "-shm", "-journal"}) fs::remove(unfinished + part, failed);
  if (auto filled = fill(unfinished); !filled) return wrong(path, filled.error());
  fs::rename(unfinished, path, failed);
  if (failed) return wrong(path, system_failure(failed.value()).error());
  return {};
}

StoreResult<void> check_whole(const std::string& path, Database& database) {
  std::error_code failed;
  const bool all = fs::file_size(path, failed) <= kMostCheckedWhole;
  auto verdict = database.ask_text(all ? "PRAGMA quick_check(1)" : "PRAGMA quick_check(budgets)");
  if (!verdict) return std::unexpected(std::move(verdict.error()));
  if (*verdict == "ok") return {};
  const std::string what = verdict->substr(verdict->rfind('\n') + 1);  // behind a headline
  return std::unexpected(StoreError{StoreFault::kCorrupt, "it is damaged (" + what + ")"});
}

std::expected<Database, std::string> open_writer(const std::string& path) {
  auto database = Database::open(path, Database::Access::kWrite);
  if (!database) return wrong(path, database.error());
  if (database->is_read_only()) return wrong(path, StoreError{StoreFault::kReadOnly, "it cannot be written"});
  const auto version = check_identity(path, *database);
  if (!version) return std::unexpected(version.error());
  if (auto set = use_log(*database); !set) return wrong(path, set.error());
  if (auto ready = migrate(*database, *version); !ready) return wrong(path, ready.error());
  if (auto good = check_whole(path, *database); !good) return wrong(path, good.error());
  return std::move(*database);
}

// Where links lead to: what lies beside the link is somebody else's.
std::string real_path(const std::string& named) {
  constexpr int kMostLinks = 8;
  std::error_code failed;
  fs::path path = named;
  for (int links = 0; links < kMostLinks && fs::is_symlink(path, failed); ++links) {
    path = path.parent_path() / fs::read_symlink(path, failed);  // it need not lead to a file yet
  }
  const auto real = fs::weakly_canonical(path, failed);
  return failed ? named : real.string();
}

std::expected<LockFile, std::string> lock(const std::string& path) {
  std::error_code ignored;  // taking the lock says what is wrong
  fs::create_directories(fs::path(path).parent_path(), ignored);
  auto taken = LockFile::take(path + ".lock");
  if (taken) return std::move(*taken);
  if (taken.error() == EWOULDBLOCK) {
    return wrong(path,
                 "another gateway keeps its books there; give each its own state.path, or let them share limits "
                 "through redis");
  }
  return wrong(path, system_failure(taken.error()).error());
}

}  // namespace

std::expected<OpenedBooks, std::string> open_books(const std::string& named) {
  const std::string path = real_path(named);
  auto taken = lock(path);
  if (!taken) return std::unexpected(std::move(taken.error()));
  if (auto there = check_there(path); !there) return std::unexpected(std::move(there.error()));
  if (std::error_code failed; !fs::exists(path, failed)) {
    if (auto made = make_books(path); !made) return std::unexpected(std::move(made.error()));
  }
  auto writer = open_writer(path);
  if (!writer) return std::unexpected(std::move(writer.error()));
  auto reader = Database::open(path, Database::Access::kRead);
  if (!reader) return wrong(path, reader.error());
  return OpenedBooks{std::move(*taken), std::move(*writer), std::move(*reader)};
}

}  // namespace sluice::budget
