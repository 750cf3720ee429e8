#pragma once
// The queue before a file and the loop of the thread that empties it. Shared by the LineFile and its thread, since a
// thread that hangs on a dead disk may outlive the LineFile.

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "observe/append_file.hpp"

namespace sluice::observe {

class LineWriter {
 public:
  LineWriter(LineFileOptions options, std::shared_ptr<LineCounts> counts);

  // Before the thread runs: what LineFile::open promises.
  std::expected<void, std::string> open();
  void run();  // the thread's, until stop() and the queue is empty

  // From any thread.
  void write(std::string lines, std::uint64_t count);
  void lose(std::uint64_t count);
  void reopen(const LineLimits& limits);
  void stop();
  void leave();  // stop(), and nobody will wait for the end
  bool wait_ended(milliseconds most);

 private:
  struct Batch {
    std::string lines;
    std::uint64_t count = 0;
    std::size_t done = 0;  // bytes that stand in the file

    std::size_t memory() const { return lines.capacity() + sizeof(Batch); }
  };
  using Lock = std::unique_lock<std::mutex>;

  void wait_for_work(Lock& lock);
  int tend(const Rotation& rotate, std::size_t more);
  int put(Batch& batch, const Rotation& rotate);
  void pop_front();
  void caught_up(Lock& lock);
  void failed(Lock& lock, int error);
  template <class MakeText>
  void tell(bool problem, MakeText make_text) const;

  AppendFile file_;  // the thread's
  Tell tell_;
  std::function<TimePoint()> now_;
  std::shared_ptr<LineCounts> counts_;
  TimePoint rotate_again_{};  // after a rotation that failed; this and the next are the thread's
  bool rotation_failing_ = false;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable ended_changed_;
  std::deque<Batch> queue_;  // only the thread takes from it
  std::size_t queued_ = 0;
  LineLimits limits_;
  milliseconds pause_;
  bool failing_ = false;    // the last try failed
  bool told_ = false;       // that something is wrong
  std::uint64_t lost_ = 0;  // since all was well
  bool reopen_ = true;      // the file is looked at first
  bool stop_ = false;
  bool ended_ = false;
  bool left_ = false;
};

// Writers that were left and have not ended yet. Any thread.
int left_writers();

}  // namespace sluice::observe
