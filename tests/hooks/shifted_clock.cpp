// A library to be preloaded: the wall clock, and no other, tells what the test wants.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>

#include "hooks/wall_clock.hpp"

namespace {

using sluice::hooks::WallClock;

constexpr std::int64_t kSecond = 1'000'000'000;

WallClock* g_clock = nullptr;

[[gnu::constructor]] void map_clock() {
  const char* path = std::getenv(sluice::hooks::kWallClock);
  const int file = path == nullptr ? -1 : ::open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void* mapped = ::mmap(nullptr, sizeof(WallClock), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (mapped != MAP_FAILED) g_clock = static_cast<WallClock*>(mapped);
}

int real_clock(clockid_t which, timespec* now) { return static_cast<int>(::syscall(SYS_clock_gettime, which, now)); }

std::int64_t shifted(std::int64_t now) {
  if (g_clock == nullptr) return now;
  if (!g_clock->frozen) return now + (g_clock->ahead_ns -= g_clock->back_per_ask);
  std::int64_t none = 0;
  g_clock->frozen_at_ns.compare_exchange_strong(none, now);
  return g_clock->frozen_at_ns;
}

timespec wall_clock() {
  timespec now{};
  real_clock(CLOCK_REALTIME, &now);
  const std::int64_t told = shifted(now.tv_sec * kSecond + now.tv_nsec);
  return {told / kSecond, told % kSecond};
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t which, timespec* now) noexcept {
  if (which != CLOCK_REALTIME && which != CLOCK_REALTIME_COARSE) return real_clock(which, now);
  *now = wall_clock();
  return 0;
}

time_t time(time_t* now) noexcept {
  const time_t second = wall_clock().tv_sec;
  if (now != nullptr) *now = second;
  return second;
}

int gettimeofday(timeval* now, void*) noexcept {
  const timespec told = wall_clock();
  *now = {told.tv_sec, told.tv_nsec / 1000};
  return 0;
}
}
