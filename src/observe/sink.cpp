#include "sluice/observe/sink.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace sluice::observe {
namespace {

constexpr mode_t kMode = 0640;

int open_for_append(const std::string& path) {
  std::error_code ignored;
  if (auto folder = std::filesystem::path(path).parent_path(); !folder.empty()) {
    std::filesystem::create_directories(folder, ignored);
  }
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kMode);
}

}  // namespace

std::expected<void, std::string> LineFile::probe(const std::string& path) {
  int file = open_for_append(path);
  if (file < 0) return std::unexpected(path + ": " + std::strerror(errno));
  ::close(file);
  return {};
}

LineFile::LineFile(std::string path) : path_(std::move(path)) {
  thread_ = std::thread([this] { run(); });
}

LineFile::~LineFile() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
  if (!path_.empty() && file_ >= 0) ::close(file_);
}

void LineFile::write(std::string lines, std::uint64_t count) {
  {
    std::lock_guard lock(mutex_);
    if (queued_bytes_ + lines.size() > kMaxQueuedBytes) {
      dropped_ += count;
      return;
    }
    queued_bytes_ += lines.size();
    queue_.push_back({std::move(lines), count});
  }
  wake_.notify_one();
}

void LineFile::reopen() {
  {
    std::lock_guard lock(mutex_);
    reopen_ = true;
  }
  wake_.notify_one();
}

void LineFile::flush() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return queue_.empty() && !busy_; });
}

void LineFile::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stop_ || reopen_ || !queue_.empty(); });
    if (std::exchange(reopen_, false) && file_ >= 0 && !path_.empty()) {
      ::close(file_);
      file_ = -1;
    }
    if (queue_.empty() && stop_) return;
    auto batches = std::exchange(queue_, {});
    queued_bytes_ = 0;
    busy_ = true;
    lock.unlock();
    for (const Batch& batch : batches) {
      (put(batch.lines) ? written_ : dropped_) += batch.count;
    }
    lock.lock();
    busy_ = false;
    idle_.notify_all();
  }
}

bool LineFile::open() {
  if (file_ < 0) file_ = path_.empty() ? STDERR_FILENO : open_for_append(path_);
  return file_ >= 0;
}

// One write per batch. A write that the disk cut short is taken back, so that no line is ever left torn.
bool LineFile::put(const std::string& lines) {
  if (!open()) return false;
  std::size_t done = 0;
  while (done < lines.size()) {
    ssize_t count = ::write(file_, lines.data() + done, lines.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    done += static_cast<std::size_t>(count);
  }
  if (done == lines.size()) return true;
  if (done > 0 && !path_.empty()) {
    off_t size = ::lseek(file_, 0, SEEK_END);
    if (size >= static_cast<off_t>(done)) (void)!::ftruncate(file_, size - static_cast<off_t>(done));
  }
  return false;
}

}  // namespace sluice::observe
