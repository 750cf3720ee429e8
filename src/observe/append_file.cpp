#include "observe/append_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "observe/rotated_names.hpp"

namespace sluice::observe {
namespace {

constexpr mode_t kMode = 0640;
constexpr std::size_t kLongestLine = 64 * 1024;  // ours are much shorter
constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK;

// Without waiting for the reader of a pipe. -1 and errno.
int open_for_append(const std::string& path) {
  int file = ::open(path.c_str(), kFlags, kMode);
  if (file < 0 && errno == ENOENT) {
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
    file = ::open(path.c_str(), kFlags, kMode);
  }
  if (file >= 0) ::fcntl(file, F_SETFL, O_APPEND);
  return file;
}

// Kept until the file is closed, also under its new name after a rotation.
bool is_taken(int file) { return ::flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK; }

std::chrono::system_clock::time_point birth_of(int file, const struct stat& facts) {
  struct statx more{};
  std::int64_t seconds = facts.st_mtime;  // where births are not known: the last line counts
  if (::statx(file, "", AT_EMPTY_PATH, STATX_BTIME, &more) == 0 && (more.stx_mask & STATX_BTIME) != 0) {
    seconds = more.stx_btime.tv_sec;
  }
  return std::chrono::system_clock::from_time_t(seconds);
}

// One write, unless the file takes less. How many bytes stand, lines or not.
AppendFile::Appended write_all(int file, std::string_view bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::write(file, bytes.data() + done, bytes.size() - done);
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (count < 0 && errno == EAGAIN) {
      // Whoever shares standard error with us may have made it non-blocking.
      pollfd ready{file, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (count == 0 || errno != EINTR) {
      return {done, count == 0 ? EIO : errno};
    }
  }
  return {done, 0};
}

// Where links lead to: a file is put aside beside itself, not beside the link.
std::string real_path(const std::string& path) {
  std::error_code failed;
  auto real = std::filesystem::canonical(path, failed);
  return failed ? path : real.string();
}

}  // namespace

std::string describe_file_error(int error) {
  if (error == EWOULDBLOCK) return "another process writes to it";
  if (error == ENXIO) return "nobody reads from this pipe";
  return std::strerror(error);
}

AppendFile::AppendFile(std::string path, Tell tell, Clocks clocks)
    : path_(std::move(path)), tell_(std::move(tell)), clocks_(std::move(clocks)) {
  if (is_standard_error()) file_ = STDERR_FILENO;
}

AppendFile::~AppendFile() {
  if (!is_standard_error() && file_ >= 0) ::close(file_);
}

int AppendFile::follow() {
  if (is_standard_error()) return 0;
  if (file_ < 0) return reopen();
  struct stat there{};
  if (::stat(path_.c_str(), &there) == 0 && there.st_dev == device_ && there.st_ino == inode_) {
    size_ = static_cast<std::uint64_t>(there.st_size);
    if (size_ == 0) first_line_.reset();  // somebody has copied and emptied it
    return 0;
  }
  const int failed = reopen();
  if (failed == 0) return 0;
  return ::fstat(file_, &there) == 0 && there.st_nlink > 0 ? 0 : failed;
}

int AppendFile::reopen() {
  const int opened = open_for_append(path_);
  if (opened < 0) return errno;
  struct stat facts{};
  ::fstat(opened, &facts);
  const bool regular = S_ISREG(facts.st_mode);
  if (regular && is_taken(opened)) {
    ::close(opened);
    return EWOULDBLOCK;
  }
  if (file_ >= 0) ::close(file_);
  file_ = opened;
  device_ = facts.st_dev;
  inode_ = facts.st_ino;
  regular_ = regular;
  size_ = regular ? static_cast<std::uint64_t>(facts.st_size) : 0;
  torn_ = false;
  first_line_.reset();
  if (size_ > 0) {
    date(facts);
    mend_tail();
  }
  return 0;
}

// From here on only the clock that never jumps counts. A birth in the future is a wall clock that went back.
void AppendFile::date(const struct stat& facts) {
  constexpr auto kLongest = std::chrono::years(10);
  const auto age = std::clamp<std::chrono::system_clock::duration>(clocks_.wall() - birth_of(file_, facts),
                                                                   std::chrono::seconds(0), kLongest);
  first_line_ = clocks_.now() - age;
}

// A process that was killed may have left a part of a line.
void AppendFile::mend_tail() {
  const int reader = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (reader < 0) return;
  std::string tail(std::min<std::uint64_t>(size_, kLongestLine), '\0');
  const ssize_t got = ::pread(reader, tail.data(), tail.size(), static_cast<off_t>(size_ - tail.size()));
  ::close(reader);
  if (got != static_cast<ssize_t>(tail.size()) || tail.back() == '\n') return;
  const std::size_t whole = tail.rfind('\n') + 1;  // 0 when there is none
  const bool known = whole > 0 || tail.size() == size_;
  torn_ = !known || !take_back(tail.size() - whole);
  if (torn_) return tell_(true, "the last line is unfinished and is left as it is");
  tell_(true, "removed " + std::to_string(tail.size() - whole) + " bytes of an unfinished last line");
}

bool AppendFile::take_back(std::size_t bytes) {
  struct stat facts{};
  if (!regular_ || ::fstat(file_, &facts) != 0 || facts.st_size < static_cast<off_t>(bytes)) return false;
  const off_t size = facts.st_size - static_cast<off_t>(bytes);
  if (::ftruncate(file_, size) != 0) return false;
  size_ = static_cast<std::uint64_t>(size);
  return true;
}

AppendFile::Appended AppendFile::append(std::string_view lines) {
  if (torn_) {
    if (const Appended ended = write_all(file_, "\n"); ended.error != 0) return ended;
    torn_ = false;
    ++size_;
  }
  const auto [done, error] = write_all(file_, lines);
  size_ += done;
  if (done > 0 && !first_line_) first_line_ = clocks_.now();
  const std::size_t whole = done == 0 ? 0 : lines.rfind('\n', done - 1) + 1;
  if (whole < done) torn_ = !take_back(done - whole);
  return {whole, error};
}

bool AppendFile::is_due(const Rotation& rotate, std::size_t more) const {
  if (!regular_ || size_ == 0) return false;
  if (rotate.size != 0 && size_ + more > rotate.size) return true;
  return rotate.age.count() != 0 && first_line_ && clocks_.now() - *first_line_ >= rotate.age;
}

// Never over another file, and to a name that sorts after all that were given before.
int AppendFile::put_aside() {
  const std::string from = real_path(path_);
  const auto before = rotated_stamps(from);
  std::string stamp = rotation_stamp(clocks_.wall());
  if (!before.empty() && stamp <= before.back()) stamp = next_stamp(before.back());
  const std::string to = from + "." + stamp;
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // A file system without that flag; nobody but us gives such names.
  return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

int AppendFile::rotate(std::size_t keep) {
  if (const int failed = put_aside(); failed != 0) return failed;
  if (const int failed = reopen(); failed != 0) return failed;
  if (!prune_rotated(real_path(path_), keep)) tell_(true, "an old file cannot be deleted");
  return 0;
}

}  // namespace sluice::observe
