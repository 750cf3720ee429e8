#pragma once
// Lines on their way to a file: collected per worker, handed over in batches, written by one thread, so that no
// request waits for a disk. Bounded: what does not fit is dropped and counted.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <expected>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace sluice::observe {

// A file that is only ever appended to. Any thread may call any member.
class LineFile {
 public:
  static constexpr std::size_t kMaxQueuedBytes = 64 * 1024 * 1024;

  // Standard error instead of a file when `path` is empty.
  explicit LineFile(std::string path);
  // Writes what is queued, then returns.
  ~LineFile();

  // Whole lines. Never blocks on the file.
  void write(std::string lines, std::uint64_t count);
  void reopen();  // after a rotation from outside
  void flush();   // returns when all that was queued before has been written
  std::uint64_t written() const { return written_; }
  std::uint64_t dropped() const { return dropped_; }
  // Creates the directory and opens the file once, to say early what would not work.
  static std::expected<void, std::string> probe(const std::string& path);

 private:
  struct Batch {
    std::string lines;
    std::uint64_t count = 0;
  };
  void run();
  bool put(const std::string& lines);
  bool open();

  std::string path_;
  int file_ = -1;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::vector<Batch> queue_;
  std::size_t queued_bytes_ = 0;
  bool busy_ = false;
  bool stop_ = false;
  bool reopen_ = false;
  std::atomic<std::uint64_t> written_ = 0;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::thread thread_;
};

}  // namespace sluice::observe
