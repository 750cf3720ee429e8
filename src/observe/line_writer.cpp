#include "observe/line_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

namespace sluice::observe {
namespace {

constexpr auto kLookInterval = milliseconds(1000);  // at the file, while there is nothing to write
constexpr auto kShortestPause = milliseconds(10);   // between two tries of a file that cannot be written
constexpr auto kLongestPause = milliseconds(1000);
constexpr auto kRotatePause = std::chrono::minutes(1);

std::atomic<int> g_left_writers = 0;

// Troubles that pass, as opposed to a path that can never work.
bool may_pass(int error) {
  return error == ENOSPC || error == EDQUOT || error == EIO || error == ENXIO || error == EMFILE || error == ENFILE;
}

std::uint64_t lines_in(std::string_view text) { return static_cast<std::uint64_t>(std::ranges::count(text, '\n')); }

}  // namespace

int left_writers() { return g_left_writers; }

// What there is no memory for is not told.
template <class MakeText>
void LineWriter::tell(bool problem, MakeText make_text) const {
  if (!tell_) return;
  try {
    tell_(problem, (file_.is_standard_error() ? "standard error" : file_.path()) + ": " + make_text());
  } catch (const std::bad_alloc&) {
  }
}

LineWriter::LineWriter(LineFileOptions options, std::shared_ptr<LineCounts> counts)
    : file_(
          std::move(options.path),
          [this](bool problem, const std::string& text) { tell(problem, [&text] { return text; }); }, options.clocks),
      tell_(std::move(options.tell)),
      now_(std::move(options.clocks.now)),
      counts_(std::move(counts)),
      limits_(options.limits),
      pause_(kShortestPause) {}

std::expected<void, std::string> LineWriter::open() {
  const int error = file_.follow();
  if (error == 0 || may_pass(error)) return {};
  return std::unexpected(file_.path() + ": " + describe_file_error(error));
}

void LineWriter::run() {
  Lock lock(mutex_);
  for (;;) {
    wait_for_work(lock);
    if (queue_.empty() && stop_) break;
    if (std::exchange(reopen_, false)) rotate_again_ = {};
    const Rotation rotate = limits_.rotate;
    Batch* batch = queue_.empty() ? nullptr : &queue_.front();  // stays where it is when others are added
    lock.unlock();
    const int error = batch == nullptr ? tend(rotate, 0) : put(*batch, rotate);
    lock.lock();
    if (error != 0) {
      failed(lock, error);
      continue;
    }
    failing_ = false;
    pause_ = kShortestPause;
    if (batch != nullptr) pop_front();
    if (queue_.empty()) caught_up(lock);
  }
  if (lost_ > 0) {
    lock.unlock();
    tell(true, [this] { return "lines lost at the end: " + std::to_string(lost_); });
    lock.lock();
  }
  ended_ = true;
  if (left_) --g_left_writers;
  ended_changed_.notify_all();
}

void LineWriter::write(std::string lines, std::uint64_t count) {
  Batch batch{std::move(lines), count};
  Lock lock(mutex_);
  if (queued_ + batch.memory() > limits_.queue_bytes) {
    const bool failing = failing_;
    counts_->dropped[static_cast<std::size_t>(failing ? Drop::kWriteError : Drop::kQueueFull)] += count;
    const bool first = std::exchange(lost_, lost_ + count) == 0;
    lock.unlock();
    if (!first) return;
    return tell(true, [failing] {
      return "lines are being dropped: its queue is full, since it " +
             std::string(failing ? "cannot be written" : "is too slow");
    });
  }
  const std::size_t memory = batch.memory();
  try {
    queue_.push_back(std::move(batch));
  } catch (const std::bad_alloc&) {
    lock.unlock();
    return lose(count);
  }
  queued_ += memory;
  counts_->queue_bytes += memory;
  lock.unlock();
  wake_.notify_one();
}

void LineWriter::lose(std::uint64_t count) {
  counts_->dropped[static_cast<std::size_t>(Drop::kNoMemory)] += count;
  const Lock lock(mutex_);
  lost_ += count;
}

void LineWriter::reopen(const LineLimits& limits) {
  const Lock lock(mutex_);
  limits_ = limits;
  reopen_ = true;
  wake_.notify_one();
}

void LineWriter::stop() {
  const Lock lock(mutex_);
  stop_ = true;
  wake_.notify_one();
}

void LineWriter::leave() {
  const Lock lock(mutex_);
  stop_ = true;
  if (!ended_ && !std::exchange(left_, true)) ++g_left_writers;
  wake_.notify_one();
}

bool LineWriter::wait_ended(milliseconds most) {
  Lock lock(mutex_);
  return ended_changed_.wait_for(lock, most, [this] { return ended_; });
}

void LineWriter::wait_for_work(Lock& lock) {
  const auto is_work = [this] { return stop_ || reopen_ || !queue_.empty(); };
  if (file_.is_standard_error()) return wake_.wait(lock, is_work);
  wake_.wait_for(lock, kLookInterval, is_work);
}

// Follows the file and rotates it when that is due. A rotation that fails is no reason not to write.
int LineWriter::tend(const Rotation& rotate, std::size_t more) {
  if (const int error = file_.follow(); error != 0) return error;
  if (!file_.is_due(rotate, more) || now_() < rotate_again_) return 0;
  const int error = file_.rotate(rotate.keep);
  if (error == 0) {
    ++counts_->rotations;
    rotation_failing_ = false;
    return 0;
  }
  ++counts_->rotations_failed;
  rotate_again_ = now_() + kRotatePause;
  if (!std::exchange(rotation_failing_, true)) {
    tell(true, [error] { return "cannot be rotated: " + describe_file_error(error) + "; it goes on growing"; });
  }
  return 0;
}

int LineWriter::put(Batch& batch, const Rotation& rotate) {
  const auto rest = std::string_view(batch.lines).substr(batch.done);
  if (const int error = tend(rotate, rest.size()); error != 0) return error;
  const auto [bytes, error] = file_.append(rest);
  batch.done += bytes;
  return error;
}

// Counts its lines: those that stand in the file, and the rest as dropped.
void LineWriter::pop_front() {
  const Batch& batch = queue_.front();
  const bool complete = batch.done == batch.lines.size();
  const auto written =
      complete ? batch.count : std::min(batch.count, lines_in(std::string_view(batch.lines).substr(0, batch.done)));
  counts_->lines += written;
  counts_->dropped[static_cast<std::size_t>(Drop::kWriteError)] += batch.count - written;
  lost_ += batch.count - written;
  queued_ -= batch.memory();
  counts_->queue_bytes -= batch.memory();
  queue_.pop_front();
}

void LineWriter::failed(Lock& lock, int error) {
  ++counts_->write_errors;
  failing_ = true;
  const bool last_try = stop_ || file_.is_standard_error();
  if (last_try && !queue_.empty()) pop_front();
  if (!std::exchange(told_, true)) {
    lock.unlock();
    tell(true, [error, last_try] {
      return "cannot be written: " + describe_file_error(error) +
             (last_try ? "" : "; lines wait in memory, and it is tried again");
    });
    lock.lock();
  }
  if (last_try) return;
  wake_.wait_for(lock, pause_, [this] { return stop_ || reopen_; });
  pause_ = std::min(2 * pause_, kLongestPause);
}

void LineWriter::caught_up(Lock& lock) {
  if (!told_ && lost_ == 0) return;
  told_ = false;
  const auto lost = std::exchange(lost_, 0);
  lock.unlock();
  tell(lost > 0, [lost] { return "is written again; lines lost: " + std::to_string(lost); });
  lock.lock();
}

}  // namespace sluice::observe
