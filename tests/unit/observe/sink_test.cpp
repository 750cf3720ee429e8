#include "sluice/observe/sink.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

namespace sluice::observe {
namespace {

namespace fs = std::filesystem;

class LineFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "sluice-lines-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string path(const std::string& name = "trace.jsonl") const { return (folder_ / name).string(); }
  static std::string content(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  fs::path folder_;
};

TEST_F(LineFileTest, BatchesArriveInOrder) {
  std::string wanted;
  {
    LineFile file(path());
    for (int i = 0; i < 1000; ++i) {
      std::string batch = "a" + std::to_string(i) + "\nb" + std::to_string(i) + "\n";
      wanted += batch;
      file.write(std::move(batch), 2);
    }
    file.flush();
    EXPECT_EQ(file.written(), 2000U);
    EXPECT_EQ(content(path()), wanted);
  }
  EXPECT_EQ(content(path()), wanted);
}

TEST_F(LineFileTest, BatchesOfManyThreadsStayWholeAndInTheirOwnOrder) {
  LineFile file(path());
  std::vector<std::thread> threads;
  for (int worker = 0; worker < 4; ++worker) {
    threads.emplace_back([&file, worker] {
      for (int i = 0; i < 500; ++i) {
        const std::string line = std::to_string(worker) + " " + std::to_string(i);
        file.write(line + " first\n" + line + " second\n", 2);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  file.flush();
  EXPECT_EQ(file.written(), 4000U);
  EXPECT_EQ(file.dropped(), 0U);
  std::ifstream lines(path());
  std::map<std::string, int> next;
  std::string worker, number, part, worker2, number2, part2;
  int batches = 0;
  while (lines >> worker >> number >> part >> worker2 >> number2 >> part2) {
    ASSERT_EQ(worker + number + part + part2, worker2 + number2 + "firstsecond");
    ASSERT_EQ(number, std::to_string(next[worker]++));
    ++batches;
  }
  EXPECT_EQ(batches, 2000);
}

TEST_F(LineFileTest, TheDestructorWritesWhatIsQueued) {
  {
    LineFile(path()).write("last words\n", 1);
  }
  EXPECT_EQ(content(path()), "last words\n");
}

TEST_F(LineFileTest, AppendsToWhatIsThereAndMakesTheFolder) {
  const auto nested = path("a/b/trace.jsonl");
  {
    LineFile(nested).write("one\n", 1);
  }
  {
    LineFile(nested).write("two\n", 1);
  }
  EXPECT_EQ(content(nested), "one\ntwo\n");
}

TEST_F(LineFileTest, OthersMayNotReadIt) {
  {
    LineFile(path()).write("one\n", 1);
  }
  struct stat facts{};
  ASSERT_EQ(::stat(path().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0007U, 0U);
}

TEST_F(LineFileTest, F68AFullQueueDropsAndCounts) {
  const auto fifo = path("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  LineFile file(fifo);
  const std::string batch(LineFile::kMaxQueuedBytes / 4, 'x');
  // Nobody reads the pipe yet, so its writer waits in open() with what it took; the queue behind it fills up.
  for (int i = 0; i < 12; ++i) file.write(batch, 10);
  const auto dropped = file.dropped();
  EXPECT_GE(dropped, 10U * (12 - 4 - 4)) << "one queue full may be on its way, another may wait";
  EXPECT_EQ(dropped % 10, 0U) << "batches are dropped whole";
  std::thread reader([&] {
    const int pipe = ::open(fifo.c_str(), O_RDONLY);
    std::string sink(1 << 20, ' ');
    while (::read(pipe, sink.data(), sink.size()) > 0) {
    }
    ::close(pipe);
  });
  file.flush();
  EXPECT_EQ(file.written() + file.dropped(), 120U);
  EXPECT_EQ(file.dropped(), dropped) << "what was taken was written";
  file.reopen();  // closes the pipe, which lets the reader go
  reader.join();
}

TEST_F(LineFileTest, F68AFileThatCannotBeOpenedDropsCountsAndRecovers) {
  const auto blocked = path("not-a-folder/trace.jsonl");
  std::ofstream(path("not-a-folder")) << "in the way";
  LineFile file(blocked);
  file.write("lost\n", 1);
  file.flush();
  EXPECT_EQ(file.dropped(), 1U);
  EXPECT_EQ(file.written(), 0U);
  fs::remove(path("not-a-folder"));
  file.reopen();
  file.write("kept\n", 1);
  file.flush();
  EXPECT_EQ(file.written(), 1U);
  EXPECT_EQ(content(blocked), "kept\n");
}

TEST_F(LineFileTest, F68AFullDiskDropsAndCounts) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full here";
  LineFile file("/dev/full");
  file.write("lost\nlost\n", 2);
  file.flush();
  EXPECT_EQ(file.dropped(), 2U);
  EXPECT_EQ(file.written(), 0U);
}

TEST_F(LineFileTest, ARotatedFileIsLeftAloneAfterReopen) {
  LineFile file(path());
  file.write("old\n", 1);
  file.flush();
  fs::rename(path(), path("trace.1"));
  file.write("late\n", 1);
  file.flush();
  EXPECT_EQ(content(path("trace.1")), "old\nlate\n") << "nothing is lost between rename and reopen";
  file.reopen();
  file.write("new\n", 1);
  file.flush();
  EXPECT_EQ(content(path("trace.1")), "old\nlate\n");
  EXPECT_EQ(content(path()), "new\n");
}

TEST_F(LineFileTest, ADeletedFileComesBackAfterReopen) {
  LineFile file(path());
  file.write("gone\n", 1);
  file.flush();
  fs::remove(path());
  file.reopen();
  file.write("back\n", 1);
  file.flush();
  EXPECT_EQ(content(path()), "back\n");
}

TEST_F(LineFileTest, ProbeSaysEarlyWhatWouldNotWork) {
  EXPECT_TRUE(LineFile::probe(path("new/folder/x")).has_value());
  std::ofstream(path("file")) << "x";
  const auto bad = LineFile::probe(path("file/x"));
  ASSERT_FALSE(bad.has_value());
  EXPECT_NE(bad.error().find("file/x"), std::string::npos);
}

}  // namespace
}  // namespace sluice::observe
