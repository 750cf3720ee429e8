// Lines arrive whole, in order and in the right file, whatever happens to the file from outside.

#include <fcntl.h>
#include <sys/stat.h>

#include <map>
#include <sstream>

#include "unit/observe/line_file_fixture.hpp"

namespace sluice::observe {
namespace {

namespace fs = std::filesystem;

TEST_F(LineFileTest, BatchesArriveInOrder) {
  std::string wanted;
  LineFile& file = open(path());
  for (int i = 0; i < 1000; ++i) {
    std::string batch = "a" + std::to_string(i) + "\nb" + std::to_string(i) + "\n";
    wanted += batch;
    file.write(std::move(batch), 2);
  }
  EXPECT_TRUE(settles_at(2000));
  EXPECT_EQ(counts_->lines, 2000U);
  EXPECT_EQ(counts_->queue_bytes, 0U);
  EXPECT_EQ(content(path()), wanted);
  EXPECT_TRUE(told().empty());
}

TEST_F(LineFileTest, BatchesOfManyThreadsStayWholeAndInTheirOwnOrder) {
  LineFile& file = open(path());
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
  ASSERT_TRUE(settles_at(4000));
  EXPECT_EQ(counts_->all_dropped(), 0U);
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

TEST_F(LineFileTest, FinishWritesWhatIsQueued) {
  open(path()).write("last words\n", 1);
  finish();
  EXPECT_EQ(content(path()), "last words\n");
}

TEST_F(LineFileTest, OneThatIsDroppedStillWritesWhatIsQueued) {
  open(path()).write("last words\n", 1);
  file_.reset();
  EXPECT_TRUE(eventually([&] { return content(path()) == "last words\n"; }));
  EXPECT_TRUE(eventually([] { return !has_unfinished_files(); }));
}

TEST_F(LineFileTest, AppendsToWhatIsThereAndMakesTheFolder) {
  const auto nested = path("a/b/trace.jsonl");
  open(nested).write("one\n", 1);
  finish();
  open(nested).write("two\n", 1);
  finish();
  EXPECT_EQ(content(nested), "one\ntwo\n");
}

TEST_F(LineFileTest, OthersMayNotReadIt) {
  open(path()).write("one\n", 1);
  finish();
  struct stat facts{};
  ASSERT_EQ(::stat(path().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0007U, 0U);
}

TEST_F(LineFileTest, F68AFileMovedAwayIsLeftAlone) {
  LineFile& file = open(path());
  file.write("old\n", 1);
  ASSERT_TRUE(settles_at(1));
  fs::rename(path(), path("moved"));
  file.reopen({});
  EXPECT_TRUE(eventually([&] { return fs::exists(path()); })) << "begun anew without waiting for a line";
  file.write("new\n", 1);
  ASSERT_TRUE(settles_at(2));
  EXPECT_EQ(content(path("moved")), "old\n");
  EXPECT_EQ(content(path()), "new\n");
}

TEST_F(LineFileTest, F68AFileMovedAwayIsNoticedWithoutBeingTold) {
  LineFile& file = open(path());
  file.write("old\n", 1);
  ASSERT_TRUE(settles_at(1));
  fs::rename(path(), path("moved"));
  file.write("new\n", 1);
  ASSERT_TRUE(settles_at(2));
  EXPECT_EQ(content(path("moved")) + "|" + content(path()), "old\n|new\n");
}

TEST_F(LineFileTest, F68ADeletedFileIsBackWithinASecondOrSo) {
  LineFile& file = open(path());
  fs::remove(path());
  EXPECT_TRUE(eventually([&] { return fs::exists(path()); }));
  fs::remove(path());
  file.write("kept\n", 1);
  ASSERT_TRUE(settles_at(1));
  EXPECT_EQ(content(path()), "kept\n") << "no line goes to a file without a name";
}

TEST_F(LineFileTest, F68AFileCopiedAndEmptiedFromOutsideGoesOnAtItsBeginning) {
  LineFile& file = open(path());
  file.write("first\n", 1);
  ASSERT_TRUE(settles_at(1));
  fs::resize_file(path(), 0);
  file.write("second\n", 1);
  ASSERT_TRUE(settles_at(2));
  EXPECT_EQ(content(path()), "second\n") << "no hole in front of it";
}

TEST_F(LineFileTest, F68AFileThatCannotBeBegunAnewGoesOnUnderItsOtherName) {
  fs::create_directory(path("logs"));
  LineFile& file = open(path("logs/trace.jsonl"));
  file.write("one\n", 1);
  ASSERT_TRUE(settles_at(1));
  fs::rename(path("logs"), path("moved"));
  std::ofstream(path("logs")) << "in the way";
  file.write("two\n", 1);
  ASSERT_TRUE(settles_at(2));
  EXPECT_EQ(content(path("moved/trace.jsonl")), "one\ntwo\n");
}

TEST_F(LineFileTest, TwoWritersOfOneFileAreRefused) {
  open(path()).write("first\n", 1);
  const auto second = try_open(path());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error(), path() + ": another process writes to it");
  finish();
  EXPECT_TRUE(try_open(path()).has_value()) << "free again";
}

TEST_F(LineFileTest, APathThatCannotBeRightIsRefused) {
  std::ofstream(path("file")) << "x";
  for (const auto& wrong : {path("file/x"), folder_.string(), path(std::string(300, 'x'))}) {
    const auto opened = try_open(wrong);
    ASSERT_FALSE(opened.has_value()) << wrong;
    EXPECT_TRUE(opened.error().starts_with(wrong + ": ")) << opened.error();
  }
}

struct Tail {
  std::string name, before, after;
};
class TornTail : public LineFileTest, public ::testing::WithParamInterface<Tail> {};

TEST_P(TornTail, F73TheNextLineIsWhole) {
  std::ofstream(path()) << GetParam().before;
  open(path()).write("{\"next\":1}\n", 1);
  finish();
  EXPECT_EQ(content(path()), GetParam().after + "{\"next\":1}\n");
  EXPECT_EQ(told().empty(), GetParam().before == GetParam().after);
}

const std::string kLong(70'000, 'x');
INSTANTIATE_TEST_SUITE_P(Of, TornTail,
                         ::testing::Values(Tail{"ALineCutShort", "{\"a\":1}\n{\"b\":", "{\"a\":1}\n"},
                                           Tail{"AFileOfOnePiece", "{\"a", ""},
                                           Tail{"ALineWithoutItsLineFeed", "{\"a\":1}\n{\"b\":2}", "{\"a\":1}\n"},
                                           Tail{"NothingCut", "{\"a\":1}\n", "{\"a\":1}\n"},
                                           Tail{"ALineTooLongToBeOurs", "a\n" + kLong, "a\n" + kLong + "\n"}),
                         [](const auto& tail) { return tail.param.name; });

}  // namespace
}  // namespace sluice::observe
