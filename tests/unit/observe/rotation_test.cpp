// Rotation by size and age: no line lost or torn, no file overwritten, no clock trusted that can jump.

#include <sys/mount.h>

#include <fstream>

#include "observe/rotated_names.hpp"
#include "unit/observe/line_file_fixture.hpp"

namespace sluice::observe {
namespace {

namespace fs = std::filesystem;

class RotatedFile : public LineFileTest {
 protected:
  // Everything that was written, in the order of the files' names.
  std::string all_content() const {
    std::string all;
    for (const auto& file : put_aside()) all += content(file);
    return all + content(path());
  }
  void write(const std::string& line) {
    file_->write(line + "\n", 1);
    ASSERT_TRUE(settles_at(++written_));
  }
  // The file is looked at once a second by itself.
  void look() { file_->reopen({.rotate = {.age = 24h}}); }
  void wait_for_rotations(std::uint64_t count) {
    ASSERT_TRUE(eventually([&] { return counts_->rotations == count; })) << counts_->rotations;
  }

  std::uint64_t written_ = 0;
};

TEST_F(RotatedFile, NoFileGrowsBeyondItsSizeAndNoLineIsLost) {
  LineFile& file = open(path(), {.rotate = {.size = 10'000, .keep = 10'000}});
  std::string wanted;
  for (int i = 0; i < 2000; ++i) {
    std::string batch = "{\"line\":" + std::to_string(i) + "}\n{\"and\":\"" +
                        std::string(static_cast<std::size_t>(i) % 97, 'x') + "\"}\n";
    wanted += batch;
    file.write(std::move(batch), 2);
  }
  ASSERT_TRUE(settles_at(4000));
  EXPECT_EQ(counts_->lines, 4000U);
  EXPECT_EQ(all_content(), wanted);
  EXPECT_GE(put_aside().size(), wanted.size() / 10'000);
  EXPECT_EQ(counts_->rotations, put_aside().size());
  for (const auto& aside : put_aside()) EXPECT_LE(fs::file_size(aside), 10'000U);
}

TEST_F(RotatedFile, ABatchLargerThanTheLimitHasAFileOfItsOwn) {
  open(path(), {.rotate = {.size = 100}});
  write("small");
  write(std::string(1000, 'x'));
  write("small");
  EXPECT_EQ(put_aside().size(), 2U);
  EXPECT_EQ(content(path()), "small\n");
}

TEST_F(RotatedFile, AnEmptyFileIsNeverPutAside) {
  LineFile& file = open(path(), {.rotate = {.size = 1, .age = 1s}});
  later_ = 100h;
  file.reopen({.rotate = {.size = 1, .age = 1s}});
  write("first");
  EXPECT_EQ(put_aside().size(), 0U);
}

TEST_F(RotatedFile, AgeCountsFromTheFirstLine) {
  open(path(), {.rotate = {.age = 24h}});
  later_ = 10h;
  write("one");
  later_ = 33h;
  write("two");
  EXPECT_EQ(counts_->rotations, 0U);
  later_ = 34h + 1s;
  wait_for_rotations(1);
  write("three");
  EXPECT_EQ(content(put_aside().at(0)), "one\ntwo\n") << "put aside on time, not with the next line";
  later_ = 58h;
  write("four");
  EXPECT_EQ(content(path()), "three\nfour\n");
  later_ = 58h + 2s;
  look();
  wait_for_rotations(2);
}

TEST_F(RotatedFile, AgeCountsFromTheBirthOfTheFileAfterARestart) {
  open(path(), {.rotate = {.age = 24h}});
  write("yesterday");
  finish();
  wall_later_ = 23h;
  open(path(), {.rotate = {.age = 24h}});
  write("an hour early");
  EXPECT_EQ(counts_->rotations, 0U);
  later_ = 1h + 1s;
  look();
  wait_for_rotations(1);
  EXPECT_EQ(content(put_aside().at(0)), "yesterday\nan hour early\n");
}

TEST_F(RotatedFile, AFileThatGrewOldWhileNobodyRanIsPutAsideAtTheStart) {
  std::ofstream(path()) << "last week\n";
  wall_later_ = 24h * 7;
  open(path(), {.rotate = {.age = 24h}});
  wait_for_rotations(1);
  write("today");
  EXPECT_EQ(all_content(), "last week\ntoday\n");
}

TEST_F(RotatedFile, F69AWallClockThatJumpsDoesNotRotate) {
  open(path(), {.rotate = {.age = 24h}});
  write("one");
  for (const auto jump : {-1h, 1h, -24h * 365, 24h * 365}) {
    wall_later_ = jump;
    look();
    write("line");
  }
  EXPECT_EQ(counts_->rotations, 0U);
  later_ = 24h + 1s;
  look();
  wait_for_rotations(1);
}

TEST_F(RotatedFile, F69AFileFromTheFutureIsOneThatBeginsNow) {
  std::ofstream(path()) << "written before the clock was put right\n";
  wall_later_ = -24h * 365;
  open(path(), {.rotate = {.age = 24h}});
  write("one");
  EXPECT_EQ(counts_->rotations, 0U);
  later_ = 24h + 1s;
  look();
  wait_for_rotations(1);
}

TEST_F(RotatedFile, F69NamesSortInTheOrderOfWritingWhateverTheWallClockSays) {
  open(path(), {.rotate = {.size = 1, .keep = 1000}});
  std::string wanted;
  int i = 0;
  for (const auto jump : {0h, 5h, -5h, 100'000h, 0h, -1'000'000h}) {
    wall_later_ = jump;
    for (int j = 0; j < 5; ++j) {
      write(std::to_string(i));
      wanted += std::to_string(i++) + "\n";
    }
  }
  EXPECT_EQ(put_aside().size(), 29U);
  EXPECT_EQ(all_content(), wanted);
}

TEST_F(RotatedFile, NamesGoOnAfterARestart) {
  wall_later_ = 1h;
  for (int i = 0; i < 4; ++i) {
    open(path(), {.rotate = {.size = 1}});
    write(std::to_string(i));
    finish();
    wall_later_ = -1h * i;
  }
  EXPECT_EQ(put_aside().size(), 3U);
  EXPECT_EQ(all_content(), "0\n1\n2\n3\n");
}

TEST_F(RotatedFile, OnlyTheOldestOfItsOwnAreDeleted) {
  const std::vector<std::string> strangers = {"trace.jsonl.1",
                                              "trace.jsonl.20200101T000000Z-0000.gz",
                                              "trace.jsonl.bak",
                                              "other.jsonl.20200101T000000Z-0000",
                                              "trace.jsonl.20200101T000000Z-000",
                                              "trace.jsonl-20200101T000000Z-0000",
                                              "xtrace.jsonl.20200101T000000Z-0000"};
  for (const auto& name : strangers) std::ofstream(path(name)) << name;
  std::ofstream(path("trace.jsonl.20200101T000000Z-0000")) << "the oldest";
  open(path(), {.rotate = {.size = 1, .keep = 3}});
  for (int i = 0; i < 8; ++i) write(std::to_string(i));
  EXPECT_EQ(content(path()), "7\n");
  std::string kept;
  for (const auto& stamp : rotated_stamps(path())) kept += content(path() + "." + stamp);
  EXPECT_EQ(kept, "4\n5\n6\n");
  for (const auto& name : strangers) EXPECT_EQ(content(path(name)), name);
}

TEST_F(RotatedFile, NewLimitsHoldAtOnce) {
  open(path(), {.rotate = {.size = 1'000'000, .age = 1000h}});
  write("one");
  later_ = 10h;
  file_->reopen({.rotate = {.age = 5h}});
  wait_for_rotations(1);
  write("two");
  file_->reopen({.rotate = {.size = 1}});
  write("three");
  EXPECT_EQ(counts_->rotations, 2U);
}

TEST_F(RotatedFile, AFileBehindALinkIsPutAsideBesideItself) {
  fs::create_directory(path("disk"));
  fs::create_symlink("disk/trace.jsonl", path());
  open(path(), {.rotate = {.size = 1}});
  write("one");
  write("two");
  EXPECT_TRUE(fs::is_symlink(path()));
  EXPECT_EQ(content(path("disk/trace.jsonl")), "two\n");
  ASSERT_EQ(rotated_stamps(path("disk/trace.jsonl")).size(), 1U);
}

TEST_F(RotatedFile, F68OneThatCannotBeRenamedGoesOnGrowingAndIsToldOnce) {
  std::ofstream(path()).flush();
  if (::mount(path().c_str(), path().c_str(), nullptr, MS_BIND, nullptr) != 0) GTEST_SKIP() << "no mounting here";
  open(path(), {.rotate = {.size = 1}});
  for (int i = 0; i < 5; ++i) write(std::to_string(i));
  EXPECT_EQ(content(path()), "0\n1\n2\n3\n4\n");
  EXPECT_EQ(told("cannot be rotated: Device or resource busy; it goes on growing"), 1);
  EXPECT_EQ(told().size(), 1U);
  EXPECT_EQ(counts_->rotations_failed, 1U) << "not with each batch";
  later_ = 61s;
  write("5");
  EXPECT_EQ(counts_->rotations_failed, 2U);
  ASSERT_EQ(::umount2(path().c_str(), MNT_DETACH), 0);
  file_->reopen({.rotate = {.size = 1}});
  write("6");
  EXPECT_EQ(counts_->rotations, 1U);
  EXPECT_EQ(told().size(), 1U);
}

TEST_F(RotatedFile, ManyThreadsAndManyRotationsLoseNothing) {
  LineFile& file = open(path(), {.rotate = {.size = 1000, .keep = 100'000}});
  std::vector<std::thread> threads;
  for (int worker = 0; worker < 4; ++worker) {
    threads.emplace_back([&file, worker] {
      for (int i = 0; i < 500; ++i) file.write(std::to_string(worker) + " " + std::to_string(i) + "\n", 1);
    });
  }
  for (int i = 0; i < 20; ++i) file.reopen({.rotate = {.size = 1000U - static_cast<unsigned>(i), .keep = 100'000}});
  for (auto& thread : threads) thread.join();
  ASSERT_TRUE(settles_at(2000));
  EXPECT_EQ(counts_->lines, 2000U);
  const auto all = all_content();
  EXPECT_EQ(std::ranges::count(all, '\n'), 2000);
  EXPECT_GE(put_aside().size(), all.size() / 1000);
}

TEST(RotationStamp, IsTheTimeInUtcAndACount) {
  using std::chrono::system_clock;
  EXPECT_EQ(rotation_stamp(system_clock::from_time_t(0)), "19700101T000000Z-0000");
  EXPECT_EQ(rotation_stamp(system_clock::from_time_t(1'719'835'200)), "20240701T120000Z-0000");
  EXPECT_EQ(rotation_stamp(system_clock::from_time_t(-5)), "19700101T000000Z-0000");
  EXPECT_EQ(rotation_stamp(system_clock::time_point::max()).size(), 21U);
}

TEST(RotationStamp, TheNextOneSortsRightAfter) {
  EXPECT_EQ(next_stamp("20240701T120000Z-0000"), "20240701T120000Z-0001");
  EXPECT_EQ(next_stamp("20240701T120000Z-0999"), "20240701T120000Z-1000");
  EXPECT_EQ(next_stamp("20241231T235959Z-9999"), "20250101T000000Z-0000");
}

TEST(RotationStamp, IsToldFromOtherNames) {
  EXPECT_TRUE(is_rotation_stamp("20240701T120000Z-0000"));
  for (auto other : {"", "1", "20240701T120000Z", "20240701T120000Z-000", "20240701T120000Z-00000",
                     "20240701T120000Z-0000.gz", "20240701t120000Z-0000", "2024x701T120000Z-0000"}) {
    EXPECT_FALSE(is_rotation_stamp(other)) << other;
  }
}

}  // namespace
}  // namespace sluice::observe
