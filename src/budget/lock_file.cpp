#include "budget/lock_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

namespace sluice::budget {

std::expected<LockFile, int> LockFile::take(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (file < 0) return std::unexpected(errno);
  LockFile lock(file);
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) return std::unexpected(errno);
  return lock;
}

LockFile::~LockFile() {
  if (file_ >= 0) ::close(file_);
}

}  // namespace sluice::budget
