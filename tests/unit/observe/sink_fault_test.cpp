// F68: a file that is full, read-only, slow or gone costs lines at most, and each of them is counted.

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <optional>

#include "unit/observe/line_file_fixture.hpp"

namespace sluice::observe {
namespace {

namespace fs = std::filesystem;

std::string numbered(int i) {
  return "{\"line\":" + std::to_string(i) + ",\"x\":\"" + std::string(1000, 'x') + "\"}\n";
}

class FaultyFile : public LineFileTest {
 protected:
  std::uint64_t dropped(Drop reason) const { return counts_->dropped[static_cast<std::size_t>(reason)]; }
  // Every line is one that numbered() made, numbers grow; how many there are.
  static std::uint64_t whole_lines(const std::string& text) {
    std::uint64_t lines = 0;
    int last = -1;
    for (std::size_t at = 0; at < text.size(); ++lines) {
      const int number = std::atoi(text.c_str() + at + 8);
      EXPECT_GT(number, last);
      last = number;
      const std::string wanted = numbered(number);
      if (text.compare(at, wanted.size(), wanted) != 0) {
        ADD_FAILURE() << "torn at " << at << ": " << text.substr(at, 80);
        break;
      }
      at += wanted.size();
    }
    return lines;
  }
};

// Takes one byte out of a pipe after the other until its writers are gone.
std::thread drain_pipe(const std::string& pipe, std::string& into) {
  return std::thread([&pipe, &into] {
    const int reader = ::open(pipe.c_str(), O_RDONLY);
    char chunk[65'536];
    for (ssize_t got = 0; (got = ::read(reader, chunk, sizeof chunk)) > 0;)
      into.append(chunk, static_cast<std::size_t>(got));
    ::close(reader);
  });
}

void read_lines(int pipe, std::ptrdiff_t lines) {
  char chunk[65'536];
  for (ssize_t got = 0; lines > 0 && (got = ::read(pipe, chunk, sizeof chunk)) > 0;) {
    lines -= std::count(chunk, chunk + got, '\n');
  }
}

TEST_F(FaultyFile, F68AFullQueueDropsTheNewestAndCounts) {
  const auto pipe = path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int holder = ::open(pipe.c_str(), O_RDWR);  // somebody has it open and does not read
  LineFile& file = open(pipe, {.queue_bytes = 256 * 1024});
  for (int i = 0; i < 1000; ++i) file.write(numbered(i), 1);
  const auto lost = dropped(Drop::kQueueFull);
  EXPECT_GE(lost, 1000U - 256 - 64 - 5) << "the queue and the pipe may hold some";
  EXPECT_LE(counts_->queue_bytes, 256U * 1024);
  EXPECT_EQ(told("lines are being dropped: its queue is full, since it is too slow"), 1);
  std::string got;
  auto reader = drain_pipe(pipe, got);
  ASSERT_TRUE(settles_at(1000));
  EXPECT_EQ(dropped(Drop::kQueueFull), lost) << "what was taken is written";
  EXPECT_EQ(dropped(Drop::kWriteError), 0U);
  EXPECT_TRUE(eventually([&] { return told("is written again; lines lost: " + std::to_string(lost)) == 1; }));
  EXPECT_EQ(told().size(), 2U);
  file.write(numbered(1000), 1);
  finish();
  ::close(holder);
  reader.join();
  EXPECT_EQ(whole_lines(got), 1001 - lost);
}

TEST_F(FaultyFile, F68APipeWithoutAReaderIsWaitedFor) {
  const auto pipe = path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  LineFile& file = open(pipe);
  file.write(numbered(1), 1);
  EXPECT_TRUE(eventually([&] { return told("nobody reads from this pipe") == 1; }));
  std::string got;
  auto reader = drain_pipe(pipe, got);
  ASSERT_TRUE(settles_at(1));
  finish();
  reader.join();
  EXPECT_EQ(whole_lines(got), 1U);
}

TEST_F(FaultyFile, F68FinishGivesUpOnAFileThatHangs) {
  const auto pipe = path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int holder = ::open(pipe.c_str(), O_RDWR);
  LineFile& file = open(pipe);
  for (int i = 0; i < 100; ++i) file.write(numbered(i), 1);
  ASSERT_TRUE(eventually([&] { return counts_->lines >= 60; })) << "the pipe is full";
  EXPECT_FALSE(file.finish(1ms));
  file_.reset();  // nobody waits here either
  EXPECT_TRUE(has_unfinished_files());
  std::string got;
  auto reader = drain_pipe(pipe, got);
  ASSERT_TRUE(settles_at(100));
  EXPECT_TRUE(eventually([] { return !has_unfinished_files(); }));
  ::close(holder);
  reader.join();
  EXPECT_EQ(whole_lines(got), 100U);
}

TEST_F(FaultyFile, F68ALeftFileThatHangsIsClosedOnceItHasTakenItsLines) {
  const auto pipe = path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int holder = ::open(pipe.c_str(), O_RDWR);
  const auto open_pipes = [&] {
    std::ptrdiff_t count = 0;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      count += fs::read_symlink(entry.path(), gone) == pipe ? 1 : 0;
    }
    return count;
  };
  LineFile& file = open(pipe);
  for (int i = 0; i < 100; ++i) file.write(numbered(i), 1);
  ASSERT_TRUE(eventually([&] { return counts_->lines >= 60; })) << "the pipe is full";
  file_.reset();
  EXPECT_EQ(open_pipes(), 2) << "ours and the one that is left";
  std::string got;
  auto reader = drain_pipe(pipe, got);
  ASSERT_TRUE(settles_at(100));
  ::close(holder);
  reader.join();  // the pipe has no writer any more
  EXPECT_EQ(open_pipes(), 0);
  EXPECT_EQ(whole_lines(got), 100U);
}

TEST_F(FaultyFile, F68SoManyLeftFilesMayHangAndNoMore) {
  std::vector<int> holders;
  for (int i = 0; i < kMostLeftFiles; ++i) {
    const auto pipe = path("pipe" + std::to_string(i));
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    holders.push_back(::open(pipe.c_str(), O_RDWR));
    LineFile& file = open(pipe);
    for (int j = 0; j < 100; ++j) file.write(numbered(j), 1);
    ASSERT_TRUE(eventually([&] { return counts_->lines >= 60U * static_cast<unsigned>(i + 1); })) << "the pipe is full";
  }
  file_.reset();
  const auto refused = try_open(path());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error(), "4 files that were left before still hang");
  std::string got;
  const auto first = path("pipe0");
  auto reader = drain_pipe(first, got);
  EXPECT_TRUE(eventually([&] { return try_open(path()).has_value(); })) << "one is done";
  for (std::size_t i = 1; i < holders.size(); ++i) read_lines(holders[i], 100);
  ASSERT_TRUE(settles_at(100U * static_cast<unsigned>(kMostLeftFiles)));
  for (const int holder : holders) ::close(holder);
  reader.join();
}

TEST_F(FaultyFile, F68LinesWaitForAFileThatCannotBeOpenedAndItIsTriedAgain) {
  fs::create_directory(path("logs"));
  const auto file_path = path("logs/trace.jsonl");
  LineFile& file = open(file_path);
  // The file may be begun anew between any two of these steps.
  ASSERT_TRUE(eventually([&] {
    std::error_code in_use;
    fs::remove_all(path("logs"), in_use);
    return !in_use && (std::ofstream(path("logs")) << "in the way").good();
  }));
  file.write(numbered(1), 1);
  EXPECT_TRUE(eventually([&] { return counts_->write_errors >= 3; }));
  EXPECT_EQ(counts_->lines + counts_->all_dropped(), 0U);
  EXPECT_GT(counts_->queue_bytes, 0U);
  EXPECT_EQ(told("cannot be written: Not a directory; lines wait in memory"), 1) << "told once";
  fs::remove(path("logs"));
  ASSERT_TRUE(settles_at(1));
  EXPECT_EQ(whole_lines(content(file_path)), 1U);
  EXPECT_TRUE(eventually([&] { return told("is written again; lines lost: 0") == 1; }));
}

TEST_F(FaultyFile, F68WhatDoesNotFitWhileNothingCanBeWrittenCountsAsAWriteError) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full here";
  LineFile& file = open("/dev/full", {.queue_bytes = 64 * 1024});
  file.write(numbered(0), 1);
  ASSERT_TRUE(eventually([&] { return counts_->write_errors > 0; }));
  for (int i = 1; i < 100; ++i) file.write(numbered(i), 1);
  EXPECT_GE(dropped(Drop::kWriteError), 30U);
  EXPECT_EQ(told("lines are being dropped: its queue is full, since it cannot be written"), 1);
  EXPECT_TRUE(file.finish(10s)) << "a last try, no more";
  EXPECT_EQ(dropped(Drop::kWriteError), 100U);
  EXPECT_EQ(dropped(Drop::kQueueFull), 0U);
  EXPECT_EQ(counts_->queue_bytes, 0U);
  EXPECT_EQ(told("lines lost at the end: 100"), 1);
}

class SmallDisk {
 public:
  explicit SmallDisk(std::string at) : at_(std::move(at)) {
    fs::create_directory(at_);
    mounted_ = ::mount("tmpfs", at_.c_str(), "tmpfs", 0, "size=128k") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }
  bool make_read_only() const {
    return ::mount("tmpfs", at_.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "size=128k") == 0;
  }

 private:
  std::string at_;
  bool mounted_ = false;
};

TEST_F(FaultyFile, F68AFullDiskTearsNoLineAndIsWrittenAgainOnceThereIsSpace) {
  const SmallDisk disk(path("disk"));
  if (!disk.mounted()) GTEST_SKIP() << "mounting is not allowed here";
  std::ofstream(path("disk/ballast")) << std::string(64 * 1024, 'x');
  const auto file_path = path("disk/trace.jsonl");
  LineFile& file = open(file_path);
  for (int i = 0; i < 100; i += 10) {
    std::string batch;
    for (int j = i; j < i + 10; ++j) batch += numbered(j);
    file.write(std::move(batch), 10);
  }
  ASSERT_TRUE(eventually([&] { return counts_->write_errors >= 3; }));
  EXPECT_GT(whole_lines(content(file_path)), 50U) << "as many lines as fit";
  EXPECT_EQ(told("No space left on device"), 1);
  fs::remove(path("disk/ballast"));
  ASSERT_TRUE(settles_at(100));
  EXPECT_EQ(counts_->all_dropped(), 0U);
  EXPECT_EQ(whole_lines(content(file_path)), 100U) << "none twice, none missing";
}

TEST_F(FaultyFile, F68AStartOnAFullDiskIsNoError) {
  const SmallDisk disk(path("disk"));
  if (!disk.mounted()) GTEST_SKIP() << "mounting is not allowed here";
  std::ofstream(path("disk/ballast")) << std::string(256 * 1024, 'x');
  LineFile& file = open(path("disk/logs/trace.jsonl"));
  file.write(numbered(0), 1);
  ASSERT_TRUE(eventually([&] { return counts_->write_errors > 0; }));
  fs::remove(path("disk/ballast"));
  EXPECT_TRUE(settles_at(1));
  EXPECT_EQ(counts_->lines, 1U);
}

TEST_F(FaultyFile, F68AReadOnlyFileSystemIsNoPlaceToStart) {
  const SmallDisk disk(path("disk"));
  if (!disk.mounted()) GTEST_SKIP() << "mounting is not allowed here";
  ASSERT_TRUE(disk.make_read_only());
  const auto opened = try_open(path("disk/trace.jsonl"));
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error(), path("disk/trace.jsonl") + ": Read-only file system");
}

TEST_F(FaultyFile, F68AFileSystemThatBecomesReadOnlyIsWaitedOut) {
  std::optional<SmallDisk> disk(path("disk"));
  if (!disk->mounted()) GTEST_SKIP() << "mounting is not allowed here";
  ASSERT_TRUE(disk->make_read_only());
  fs::create_directory(path("good"));
  fs::create_directory_symlink("good", path("logs"));
  LineFile& file = open(path("logs/trace.jsonl"));
  fs::create_directory_symlink("disk", path("next"));
  fs::rename(path("next"), path("logs"));
  fs::remove(path("good/trace.jsonl"));
  file.write(numbered(0), 1);
  EXPECT_TRUE(eventually([&] { return told("cannot be written: Read-only file system") == 1; }));
  EXPECT_EQ(counts_->lines, 0U);
  disk.reset();
  ASSERT_TRUE(settles_at(1));
  EXPECT_EQ(whole_lines(content(path("disk/trace.jsonl"))), 1U);
}

TEST_F(FaultyFile, F68ALimitOnFileSizesIsOneMoreFullDisk) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{.rlim_cur = 10'500, .rlim_max = before.rlim_max};
  LineFile& file = open(path());
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  std::string batch;
  for (int i = 0; i < 20; ++i) batch += numbered(i);
  file.write(std::move(batch), 20);
  EXPECT_TRUE(eventually([&] { return counts_->write_errors >= 3; }));
  EXPECT_EQ(whole_lines(content(path())), 10U) << "cut at a line";
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_TRUE(settles_at(20));
  EXPECT_EQ(whole_lines(content(path())), 20U);
}

}  // namespace
}  // namespace sluice::observe
