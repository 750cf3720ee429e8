#include "server/memory.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace sluice::server {
namespace {

constexpr std::size_t kMebibyte = 1024 * 1024;

// A machine of 1000 MiB in a directory.
class MemoryMeterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "memory-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    write("/proc/meminfo", "MemTotal:        1024000 kB\nMemFree: 1 kB\n");
    resident(100);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void write(const std::string& file, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root_ + file).parent_path());
    std::ofstream(root_ + file) << text;
  }
  void resident(std::size_t mebibytes) {
    const auto pages = mebibytes * kMebibyte / static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    write("/proc/self/statm", "999999 " + std::to_string(pages) + " 1 1 0 1 0\n");
  }
  static std::string mebibytes(std::size_t count) { return std::to_string(count * kMebibyte) + "\n"; }

  std::string root_;
};

TEST_F(MemoryMeterTest, WithoutALimitTheMachineIsTheLimit) {
  const MemoryReading reading = MemoryMeter(0, root_).read();
  EXPECT_EQ(reading.used, 100 * kMebibyte);
  EXPECT_EQ(reading.limit, 1000 * kMebibyte);
  EXPECT_TRUE(reading.at_least(10));
  EXPECT_FALSE(reading.at_least(11));
}

TEST_F(MemoryMeterTest, TheConfiguredLimitTakesTheMachinesPlace) {
  MemoryMeter meter(200 * kMebibyte, root_);
  EXPECT_EQ(meter.read().limit, 200 * kMebibyte);
  meter.set_configured(150 * kMebibyte);
  EXPECT_EQ(meter.read().limit, 150 * kMebibyte);
}

TEST_F(MemoryMeterTest, AGroupsLimitCountsWhatTheKernelHoldsForUs) {
  write("/proc/self/cgroup", "0::/box\n");
  write("/sys/fs/cgroup/box/memory.max", mebibytes(256));
  write("/sys/fs/cgroup/box/memory.current", mebibytes(240));
  write("/sys/fs/cgroup/box/memory.stat", "anon 1\ninactive_file " + mebibytes(10));
  const MemoryReading reading = MemoryMeter(0, root_).read();
  EXPECT_EQ(reading.limit, 256 * kMebibyte);
  EXPECT_EQ(reading.used, 230 * kMebibyte) << "without the pages that can be dropped at any time";
}

TEST_F(MemoryMeterTest, AParentsSmallerLimitBinds) {
  write("/proc/self/cgroup", "0::/outer/inner\n");
  write("/sys/fs/cgroup/outer/inner/memory.max", "max\n");
  write("/sys/fs/cgroup/outer/memory.max", mebibytes(128));
  write("/sys/fs/cgroup/outer/memory.current", mebibytes(127));
  write("/sys/fs/cgroup/outer/memory.stat", "");
  const MemoryReading reading = MemoryMeter(0, root_).read();
  EXPECT_EQ(reading.limit, 128 * kMebibyte);
  EXPECT_EQ(reading.used, 127 * kMebibyte);
}

TEST_F(MemoryMeterTest, TheFirstVersionOfControlGroupsIsUnderstood) {
  write("/proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/box\n");
  write("/sys/fs/cgroup/memory/box/memory.limit_in_bytes", mebibytes(300));
  write("/sys/fs/cgroup/memory/box/memory.usage_in_bytes", mebibytes(200));
  write("/sys/fs/cgroup/memory/box/memory.stat", "total_inactive_file " + mebibytes(50));
  const MemoryReading reading = MemoryMeter(0, root_).read();
  EXPECT_EQ(reading.limit, 300 * kMebibyte);
  EXPECT_EQ(reading.used, 150 * kMebibyte);
}

TEST_F(MemoryMeterTest, TheNearerOfTwoLimitsIsTold) {
  write("/proc/self/cgroup", "0::/box\n");
  write("/sys/fs/cgroup/box/memory.max", mebibytes(400));
  write("/sys/fs/cgroup/box/memory.current", mebibytes(100));
  write("/sys/fs/cgroup/box/memory.stat", "");
  EXPECT_EQ(MemoryMeter(110 * kMebibyte, root_).read().limit, 110 * kMebibyte);
  EXPECT_EQ(MemoryMeter(900 * kMebibyte, root_).read().limit, 400 * kMebibyte);
}

TEST_F(MemoryMeterTest, TheRealProcessHasAMemory) {
  const MemoryReading reading = MemoryMeter(0).read();
  EXPECT_GT(reading.used, kMebibyte);
  EXPECT_GT(reading.limit, reading.used);
}

}  // namespace
}  // namespace sluice::server
