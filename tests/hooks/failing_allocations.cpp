// Linked into a gateway of the tests' own: allocations of its worker threads fail as the plan says. The C++ operators
// are replaced; what Asio takes from std::aligned_alloc, and the beginning of an event loop, come by way of the linker
// (--wrap); OpenSSL is told.

#include <execinfo.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <new>

#include "hooks/allocation_plan.hpp"

namespace {

using sluice::hooks::AllocationPlan;

// Set up before main(), never undone: memory is asked for to the very end.
AllocationPlan* g_plan = nullptr;
extern "C" const char __executable_start;  // the linker's: where addresses of this file count from
thread_local bool g_is_worker = false;

void note_stack() {
  std::array<void*, 24> stack{};
  const int count = ::backtrace(stack.data(), static_cast<int>(stack.size()));
  for (int i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    g_plan->frame[at] =
        reinterpret_cast<std::uintptr_t>(stack[at]) - reinterpret_cast<std::uintptr_t>(&__executable_start);
  }
  g_plan->frames = static_cast<std::size_t>(count);
}

bool must_fail() {
  if (!g_is_worker) return false;
  const std::int64_t before = g_plan->before--;
  if (before > 0 || before <= -g_plan->length) return false;
  if (before == 0) note_stack();
  ++g_plan->failed;
  return true;
}

void* take(std::size_t size) { return must_fail() ? nullptr : std::malloc(size == 0 ? 1 : size); }

// As the standard has it: the handler may wait and have it tried again.
void* take_or_throw(std::size_t size) {
  for (;;) {
    if (void* taken = take(size)) return taken;
    const auto handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

void* openssl_take(std::size_t size, const char*, int) { return size == 0 ? nullptr : take(size); }
void* openssl_take_again(void* old, std::size_t size, const char*, int) {
  return must_fail() ? nullptr : std::realloc(old, size);
}
void openssl_give(void* given, const char*, int) { std::free(given); }

[[gnu::constructor]] void read_plan() {
  const char* path = std::getenv(sluice::hooks::kAllocationPlan);
  const int file = path == nullptr ? -1 : ::open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void* mapped = ::mmap(nullptr, sizeof(AllocationPlan), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (mapped == MAP_FAILED) return;
  std::array<void*, 2> warm{};
  ::backtrace(warm.data(), 2);  // the first call loads a library
  CRYPTO_set_mem_functions(openssl_take, openssl_take_again, openssl_give);
  g_plan = static_cast<AllocationPlan*>(mapped);
}

}  // namespace

void* operator new(std::size_t size) { return take_or_throw(size); }
void* operator new[](std::size_t size) { return take_or_throw(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return take(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return take(size); }
void operator delete(void* given) noexcept { std::free(given); }
void operator delete[](void* given) noexcept { std::free(given); }
void operator delete(void* given, std::size_t) noexcept { std::free(given); }
void operator delete[](void* given, std::size_t) noexcept { std::free(given); }

extern "C" {

void* __real_aligned_alloc(std::size_t alignment, std::size_t size);
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size) {
  return must_fail() ? nullptr : __real_aligned_alloc(alignment, size);
}

// Workers are the threads with an event loop, but for the first one: that is the operators'.
int __real_epoll_wait(int epoll, struct epoll_event* events, int most, int timeout);
int __wrap_epoll_wait(int epoll, struct epoll_event* events, int most, int timeout) {
  g_is_worker = g_plan != nullptr && ::getpid() != static_cast<pid_t>(::syscall(SYS_gettid));
  return __real_epoll_wait(epoll, events, most, timeout);
}
}
