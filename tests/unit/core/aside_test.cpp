#include "sluice/core/aside.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <latch>
#include <stdexcept>
#include <thread>

namespace sluice {
namespace {

struct Ran {
  std::thread::id home, worked;
  int value = 0;
};

TEST(Aside, WorksOnAnotherThreadAndComesBackToItsOwn) {
  net::io_context io;
  Ran ran;
  net::co_spawn(
      io,
      [](Ran& out) -> Task<void> {
        out.value = co_await aside([&out] {
          out.worked = std::this_thread::get_id();
          return 42;
        });
        out.home = std::this_thread::get_id();
      }(ran),
      [](const std::exception_ptr& thrown) { EXPECT_FALSE(thrown); });
  io.run();
  EXPECT_EQ(ran.value, 42);
  EXPECT_EQ(ran.home, std::this_thread::get_id());
  EXPECT_NE(ran.worked, std::this_thread::get_id());
}

TEST(Aside, BringsAnExceptionHome) {
  net::io_context io;
  bool caught = false;
  net::co_spawn(
      io,
      [](bool& out) -> Task<void> {
        try {
          co_await aside([]() -> int { throw std::length_error("too long"); });
        } catch (const std::length_error&) {
          out = true;
        }
      }(caught),
      [](const std::exception_ptr& thrown) { EXPECT_FALSE(thrown); });
  io.run();
  EXPECT_TRUE(caught);
}

// The thread is kept busy, so that the work of the cancelled task cannot have begun.
TEST(Aside, ATaskCancelledBeforeItsWorkBeganSkipsIt) {
  net::io_context io;
  std::latch release(1);
  net::co_spawn(
      io,
      [](std::latch& until) -> Task<void> {
        co_await aside([&until] {
          until.wait();
          return 0;
        });
      }(release),
      [](const std::exception_ptr& thrown) { EXPECT_FALSE(thrown); });
  bool worked = false;
  std::exception_ptr ended;
  net::cancellation_signal signal;
  net::co_spawn(
      io, [](bool& out) -> Task<void> { co_await aside([&out] { return out = true; }); }(worked),
      net::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& thrown) { ended = thrown; }));
  net::post(io, [&] {
    signal.emit(net::cancellation_type::terminal);
    release.count_down();
  });
  io.run();
  EXPECT_FALSE(worked);
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace sluice
