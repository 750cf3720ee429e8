#pragma once
// A file beside another that keeps a second process away from it, for as long as it is open. It is never deleted:
// whoever waits for a deleted one would share nothing with whoever makes it anew.

#include <expected>
#include <string>
#include <utility>

namespace sluice::budget {

class LockFile {
 public:
  // Made if there is none. The error is an errno value; EWOULDBLOCK: another process has it.
  static std::expected<LockFile, int> take(const std::string& path);
  LockFile(LockFile&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  LockFile& operator=(LockFile&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }
  ~LockFile();

 private:
  explicit LockFile(int file) : file_(file) {}
  int file_ = -1;
};

}  // namespace sluice::budget
