#pragma once
// Lines on their way to a file: collected per worker, handed over in batches, written by one thread, so that no
// request waits for a disk. Bounded: what does not fit is dropped and counted, whole lines only.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "sluice/core/clock.hpp"

namespace sluice::observe {

// Why lines were lost: the file takes them too slowly, or not at all; or there was no memory for them.
enum class Drop : std::uint8_t { kQueueFull, kWriteError, kNoMemory };
inline constexpr std::size_t kDrops = 3;
std::string_view to_string(Drop reason);

// Of one sink, over the life of the process: it outlives the files that take each other's place.
struct LineCounts {
  std::atomic<std::uint64_t> lines = 0;  // written
  std::array<std::atomic<std::uint64_t>, kDrops> dropped{};
  std::atomic<std::uint64_t> queue_bytes = 0;   // memory held by lines that wait
  std::atomic<std::uint64_t> write_errors = 0;  // tries that failed
  std::atomic<std::uint64_t> rotations = 0;
  std::atomic<std::uint64_t> rotations_failed = 0;

  std::uint64_t all_dropped() const { return dropped[0] + dropped[1] + dropped[2]; }
};

// When a file is put aside under a name that says when, and a new one begun.
struct Rotation {
  std::uint64_t size = 0;            // before it grows beyond this; 0: never
  std::chrono::milliseconds age{0};  // since its first line; 0: never
  std::size_t keep = 30;             // files put aside; older ones are deleted
};

struct LineLimits {
  std::size_t queue_bytes = 64 * 1024 * 1024;
  Rotation rotate = {};
};

// Something an operator should know, such as that lines are lost. Called from any thread; must not block.
using Tell = std::function<void(bool problem, const std::string& text)>;

// Ages are differences of `now`; `wall` names files and dates a file that was there before. For tests.
struct Clocks {
  std::function<TimePoint()> now = Clock::now;
  std::function<std::chrono::system_clock::time_point()> wall = std::chrono::system_clock::now;
};

struct LineFileOptions {
  std::string path;  // empty: standard error, which is never rotated
  LineLimits limits = {};
  Tell tell = {};
  Clocks clocks = {};
};

class LineWriter;

// So many files may have been left with lines that they do not take. Each holds a thread, a descriptor and its queue
// until it takes them; who wants to leave another has to wait.
inline constexpr int kMostLeftFiles = 4;

// A file that is only ever appended to, by this process alone. Any thread may call any member.
//
// A file that cannot be written is tried again, at least once a second; until then lines wait in the queue. Standard
// error has no second chance: what it does not take is dropped. A file that was moved or deleted from outside is begun
// anew before the next batch, and within a second or so when there is none.
class LineFile {
 public:
  // The folder is made if need be, and a last line that was left unfinished is removed. The error is a sentence: the
  // path cannot be right, another process writes to it, or kMostLeftFiles hang. A disk that is full or a pipe that
  // nobody reads is no error.
  static std::expected<std::unique_ptr<LineFile>, std::string> open(LineFileOptions options,
                                                                    std::shared_ptr<LineCounts> counts);
  // Does not wait: what is queued is still written, as far as the file takes it, and then the file is closed.
  ~LineFile();
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  // `count` whole lines. Never waits for the file, and never throws.
  void write(std::string lines, std::uint64_t count);
  // Counts lines for which there was no memory.
  void lose(std::uint64_t count);
  // New limits; and a file that was moved away is let go of at once.
  void reopen(const LineLimits& limits);
  // The last call: writes what is queued. False if that took longer than `most`.
  bool finish(std::chrono::milliseconds most);

 private:
  explicit LineFile(std::shared_ptr<LineWriter> writer);

  std::shared_ptr<LineWriter> writer_;
  std::thread thread_;
};

// Whether a file that did not finish in time is still being written to. Such a process must leave by _Exit.
bool has_unfinished_files();

}  // namespace sluice::observe
