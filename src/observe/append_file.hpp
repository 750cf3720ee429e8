#pragma once
// One file that one thread appends whole lines to. Knows nothing of queues: it does what it is told, once, and says
// how far it came. Errors are errno values; 0 is good.

#include <sys/stat.h>

#include <optional>
#include <string>
#include <string_view>

#include "sluice/observe/sink.hpp"

namespace sluice::observe {

// For an operator: what strerror says, but for what is known better here.
std::string describe_file_error(int error);

class AppendFile {
 public:
  // Standard error when `path` is empty.
  AppendFile(std::string path, Tell tell, Clocks clocks);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  const std::string& path() const { return path_; }
  bool is_standard_error() const { return path_.empty(); }

  // Makes the file of that name the one that is appended to: opens it, or opens it anew when it was moved or deleted.
  // If it cannot be opened, what was open stays in use as long as it has a name somewhere.
  int follow();
  // After follow().
  bool is_due(const Rotation& rotate, std::size_t more) const;
  // Puts the file aside and begins a new one; deletes what is beyond `keep`. On failure the file stays as it is.
  int rotate(std::size_t keep);

  struct Appended {
    std::size_t bytes;  // of whole lines that stand in the file
    int error;
  };
  // After follow(). What was cut short in the middle of a line is taken back, or else ended before the next line.
  Appended append(std::string_view lines);

 private:
  int reopen();
  int put_aside();
  void date(const struct stat& facts);
  void mend_tail();
  bool take_back(std::size_t bytes);

  std::string path_;
  Tell tell_;
  Clocks clocks_;
  int file_ = -1;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  bool regular_ = false;
  bool torn_ = false;       // the last line has no end
  std::uint64_t size_ = 0;  // as of the last follow(), and what was appended since
  std::optional<TimePoint> first_line_;
};

}  // namespace sluice::observe
