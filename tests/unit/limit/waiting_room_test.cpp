// One loop, step by step. Many threads: waiting_room_threads_test.cpp.

#include "sluice/limit/waiting_room.hpp"

#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/this_coro.hpp>
#include <deque>
#include <stdexcept>

#include "unit/limit/room_fixture.hpp"

namespace sluice::limit {
namespace {

using namespace std::chrono_literals;
using namespace testing;
using enum Priority;

// Tries as usual, or does not come back until it is cancelled.
Task<Result<Verdict>> slow_try(bool& hangs, Slots& slots) {
  if (hangs) {
    net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> never(co_await net::this_coro::executor,
                                                                              kNever);
    co_await never.async_wait(net::as_tuple(net::deferred));
    co_return client_gone();
  }
  co_return co_await verdict_on({&slots});
}

Task<Result<Verdict>> say(Verdict verdict) { co_return verdict; }

class Room : public ::testing::Test {
 protected:
  // Runs it as far as it goes by itself.
  Request& come(Request&& template_request) {
    Request& request = requests.emplace_back();
    request.wanted = std::move(template_request.wanted);
    request.priority = template_request.priority;
    request.key = std::move(template_request.key);
    request.due = template_request.due;
    request.try_admit = std::move(template_request.try_admit);
    send(io, *room, request, [this, &request] {
      if (request.granted()) order += request.key;
    });
    go_on();
    return request;
  }
  Request& come(Priority priority, std::string key) {
    return come({.wanted = {&slots}, .priority = priority, .key = std::move(key)});
  }
  void go_on() {
    io.restart();
    io.poll();
  }
  void give_back_one() {
    give_back(*room, {&slots});
    go_on();
  }
  void leave(Request& request) {
    request.leave.emit(net::cancellation_type::terminal);
    go_on();
  }
  void tick(milliseconds later) {
    now += later;
    room->tick(now);
    go_on();
  }
  void configure(config::Queue queue) { room->configure(queue); }

  TimePoint now{1h};
  std::unique_ptr<WaitingRoom> room = make_waiting_room({}, [this] { return now; });
  Slots slots{"key search", 1};
  Slots process{"process", 1};
  std::string order;  // keys, as they were granted
  std::deque<Request> requests;
  net::io_context io;  // ends first, and with it whoever still waits
};

TEST_F(Room, LetsOneInAtOnceWhileThereAreSlots) {
  EXPECT_TRUE(come(kNormal, "a").granted());
  EXPECT_EQ(room->waiting(), 0U);
  EXPECT_EQ(room->counts().granted, 0U);  // it did not wait
}

TEST_F(Room, LetsTheOthersWaitUntilASlotIsGivenBack) {
  come(kNormal, "a");
  Request& second = come(kNormal, "b");
  EXPECT_FALSE(second.over());
  EXPECT_EQ(room->waiting(), 1U);
  EXPECT_EQ(room->counts().queued[1], 1U);
  give_back_one();
  EXPECT_TRUE(second.granted());
  EXPECT_EQ(room->waiting(), 0U);
  const auto counts = room->counts();
  EXPECT_EQ(counts.granted, 1U);
  EXPECT_EQ(counts.waited.total, 1U);
}

TEST_F(Room, IsToldOfSlotsWithoutTheirNamesAsWell) {
  come(kNormal, "a");
  Request& second = come(kNormal, "b");
  --slots.used;
  room->slot_freed();
  go_on();
  EXPECT_TRUE(second.granted());
}

TEST_F(Room, ServesInFairOrder) {
  come(kNormal, "-");
  for (int i = 0; i < 3; ++i) come(kNormal, "a");
  come(kNormal, "b");
  come(kHigh, "h");
  for (int i = 0; i < 5; ++i) give_back_one();
  EXPECT_EQ(order, "-habaa");
}

TEST_F(Room, LetsNobodyOvertakeWhoWaitsForTheSameLimit) {
  come(kNormal, "a");
  come(kNormal, "b");
  --slots.used;  // free, but nobody has told
  Request& newcomer = come(kHigh, "c");
  EXPECT_FALSE(newcomer.over());
  room->slot_freed();
  go_on();
  EXPECT_EQ(order, "ac");  // the higher class goes first, but by its turn
  EXPECT_EQ(room->waiting(), 1U);
}

TEST_F(Room, LetsANewcomerPassWhoNeedsAnotherLimit) {
  come(kNormal, "a");
  come(kNormal, "b");
  Slots other("key other", 1);
  EXPECT_TRUE(come({.wanted = {&other}, .key = "c"}).granted());
}

TEST_F(Room, IsNotHeldUpByOneWhoseOwnLimitIsFull) {
  process.limit.most = 2;
  come({.wanted = {&slots, &process}, .key = "a"});
  Request& blocked = come({.wanted = {&slots, &process}, .key = "a"});
  EXPECT_TRUE(come({.wanted = {&process}, .key = "b"}).granted());
  EXPECT_FALSE(blocked.over());
}

TEST_F(Room, TellsHowLongTheRefusedOfAKeyShouldWait) {
  configure({.timeout = 500ms});
  come(kNormal, "a");
  Request& waits = come(kNormal, "b");
  tick(499ms);
  EXPECT_FALSE(waits.over());
  tick(1ms);
  ASSERT_EQ(waits.error(), ErrorKind::kConcurrencyExceeded);
  const Error& error = waits.result->error();
  EXPECT_EQ(error.http_status(), 429);
  EXPECT_EQ(error.error_code(), "concurrency_exceeded");
  EXPECT_NE(error.message.find("key search"), std::string::npos) << error.message;
  ASSERT_TRUE(error.retry_after);
  EXPECT_GE(*error.retry_after, 1ms);
  EXPECT_LE(*error.retry_after, 120s);
  EXPECT_EQ(room->waiting(), 0U);
  EXPECT_EQ(room->counts().timed_out, 1U);
}

TEST_F(Room, CallsItselfOverloadedWhenItsOwnLimitIsFull) {
  process.used = 1;
  Request& waits = come({.wanted = {&slots, &process}, .due = now + 100ms});
  tick(101ms);
  ASSERT_EQ(waits.error(), ErrorKind::kOverloaded);
  EXPECT_TRUE(waits.result->error().retry_after);
  EXPECT_EQ(waits.result->error().message.find("key search"), std::string::npos);
}

TEST_F(Room, GoesByTheClientsDeadlineIfThatIsEarlier) {
  come(kNormal, "a");
  Request& hurried = come({.wanted = {&slots}, .key = "b", .due = now + 50ms});
  Request& patient = come(kNormal, "c");
  tick(60ms);
  EXPECT_EQ(hurried.error(), ErrorKind::kConcurrencyExceeded);
  EXPECT_FALSE(patient.over());
}

TEST_F(Room, GivesNoSlotToOneWhoseTimeIsUp) {
  come(kNormal, "a");
  Request& late = come({.wanted = {&slots}, .key = "b", .due = now});
  EXPECT_EQ(late.error(), ErrorKind::kConcurrencyExceeded);
  give_back_one();
  EXPECT_EQ(slots.used, 0);
}

TEST_F(Room, RefusesAtOnceWhoCouldNotStartInTime) {
  come(kNormal, "-");
  for (int i = 0; i < 20; ++i) come(kNormal, "a");
  for (int i = 0; i < 10; ++i) {  // five a second
    now += 200ms;
    give_back_one();
  }
  Request& late = come({.wanted = {&slots}, .key = "a", .due = now + 1s});
  ASSERT_EQ(late.error(), ErrorKind::kConcurrencyExceeded);
  EXPECT_NEAR(static_cast<double>(late.result->error().retry_after->count()), 2200, 220);  // eleven places
  EXPECT_EQ(room->counts().late, 1U);
  EXPECT_FALSE(come({.wanted = {&slots}, .key = "a", .due = now + 3s}).over());
}

TEST_F(Room, LetsInNoMoreThanMayWait) {
  configure({.most = 1});
  come(kNormal, "a");
  come(kNormal, "b");
  Request& third = come(kNormal, "c");
  EXPECT_EQ(third.error(), ErrorKind::kConcurrencyExceeded);
  EXPECT_TRUE(third.result->error().retry_after);
  EXPECT_EQ(room->counts().full, 1U);
  EXPECT_EQ(room->waiting(), 1U);
}

TEST_F(Room, LetsNobodyWaitWhereThereIsNoQueue) {
  configure({.most = 0});
  EXPECT_TRUE(come(kNormal, "a").granted());
  EXPECT_EQ(come(kHigh, "b").error(), ErrorKind::kConcurrencyExceeded);
}

TEST_F(Room, MakesRoomForAHigherClass) {
  configure({.most = 2});
  come(kNormal, "a");
  Request& older = come(kLow, "b");
  Request& newer = come(kLow, "b");
  Request& high = come(kHigh, "h");
  EXPECT_EQ(newer.error(), ErrorKind::kOverloaded);
  ASSERT_TRUE(newer.result->error().retry_after);
  EXPECT_FALSE(older.over());
  EXPECT_EQ(room->counts().evicted, (std::array<std::uint64_t, kPriorities>{0, 0, 1}));
  give_back_one();
  EXPECT_TRUE(high.granted());
  give_back_one();
  EXPECT_TRUE(older.granted());
}

TEST_F(Room, IsLeftAtOnceByOneWhoseClientIsGone) {
  come(kNormal, "a");
  Request& gone = come(kNormal, "b");
  Request& next = come(kNormal, "c");
  leave(gone);
  EXPECT_EQ(gone.error(), ErrorKind::kClientGone);
  EXPECT_EQ(room->waiting(), 1U);
  EXPECT_EQ(room->counts().gone, 1U);
  give_back_one();
  EXPECT_TRUE(next.granted());
}

TEST_F(Room, PassesTheTurnOnWhenWhoeverHasItLeavesAtTheSameMoment) {
  come(kNormal, "a");
  Request& first = come(kNormal, "b");
  Request& second = come(kNormal, "c");
  give_back(*room, {&slots});  // it is b's turn, who has not heard of it yet
  first.leave.emit(net::cancellation_type::terminal);
  go_on();
  EXPECT_EQ(first.error(), ErrorKind::kClientGone);
  EXPECT_TRUE(second.granted());
}

TEST_F(Room, PassesTheTurnOnWhenATryThrows) {
  come(kNormal, "a");
  Request& broken = come({.wanted = {&slots}, .key = "b", .try_admit = [tries = 0, this]() mutable {
                            if (++tries > 2) throw std::runtime_error("broken");
                            return verdict_on({&slots});
                          }});
  Request& second = come(kNormal, "c");
  give_back_one();
  EXPECT_TRUE(broken.threw);
  EXPECT_TRUE(second.granted());
}

TEST_F(Room, PassesTheTurnOnWhenAClientLeavesInTheMiddleOfATry) {
  come(kNormal, "a");
  bool hangs = false;
  Request& gone =
      come({.wanted = {&slots}, .key = "b", .try_admit = [&hangs, this] { return slow_try(hangs, slots); }});
  Request& second = come(kNormal, "c");
  hangs = true;
  give_back_one();
  EXPECT_FALSE(gone.over());
  EXPECT_FALSE(second.over());
  leave(gone);
  EXPECT_EQ(gone.error(), ErrorKind::kClientGone);
  EXPECT_TRUE(second.granted());
}

TEST_F(Room, IsNotHeldUpForLongByATryThatTakesLong) {
  come(kNormal, "a");
  bool hangs = false;
  Request& slow =
      come({.wanted = {&slots}, .key = "b", .try_admit = [&hangs, this] { return slow_try(hangs, slots); }});
  Request& second = come(kNormal, "c");
  hangs = true;
  give_back_one();
  tick(40ms);
  EXPECT_FALSE(second.over());
  tick(10ms);
  EXPECT_TRUE(second.granted());
  EXPECT_FALSE(slow.over());
  leave(slow);
}

TEST_F(Room, EndsTheWaitWithWhateverElseTheTrySays) {
  come(kNormal, "a");
  const Limit rate;
  bool over_rate = false;
  Request& other = come({.wanted = {&slots}, .key = "b", .try_admit = [&over_rate, this] {
                           return over_rate ? say(Refusal{.index = 7}) : verdict_on({&slots});
                         }});
  Request& next = come(kNormal, "c");
  over_rate = true;
  give_back_one();
  ASSERT_TRUE(other.result && *other.result);
  EXPECT_TRUE(std::holds_alternative<Refusal>(**other.result));
  EXPECT_EQ(room->counts().refused, 1U);
  EXPECT_TRUE(next.granted());
}

TEST_F(Room, FindsSlotsOfWhichNobodyToldWithTheNextTick) {
  come(kNormal, "a");
  Request& waits = come(kNormal, "b");
  --slots.used;  // another replica
  go_on();
  EXPECT_FALSE(waits.over());
  tick(0ms);
  EXPECT_TRUE(waits.granted());
}

// The slot is given back between the newcomer's try and its entering.
TEST_F(Room, LosesNoSlotThatIsGivenBackWhileSomebodyBeginsToWait) {
  come(kNormal, "a");
  Request& waits = come({.wanted = {&slots}, .key = "b", .try_admit = [tries = 0, this]() mutable {
                           if (++tries > 1) return verdict_on({&slots});
                           give_back(*room, {&slots});
                           return say(Refusal{});
                         }});
  EXPECT_TRUE(waits.granted());
}

TEST_F(Room, TakesATryThatWasMadeBeforeEntering) {
  slots.used = 1;
  int tries = 0;
  const std::vector<Take> takes = {{&slots.limit, 1}};
  EXPECT_FALSE(room->must_wait(takes));
  net::co_spawn(
      io,
      [](WaitingRoom& in, const std::vector<Take>& wanted, int& count) -> Task<void> {
        Wish wish{.key = "a", .takes = wanted, .lacking = wanted[0].limit};
        co_await in.enter(std::move(wish), [&count] { return ++count > 1 ? say(Grant()) : say(Refusal{}); });
      }(*room, takes, tries),
      [](const std::exception_ptr& thrown) { EXPECT_FALSE(thrown); });
  go_on();
  EXPECT_EQ(tries, 1);  // once in the queue, since a slot may have become free before
  EXPECT_TRUE(room->must_wait(takes));
  room->slot_freed(takes);
  go_on();
  EXPECT_EQ(tries, 2);
  EXPECT_FALSE(room->must_wait(takes));
}

TEST_F(Room, IsLeftByWhoeverIsInALoopThatEnds) {
  auto loop = std::make_unique<net::io_context>();
  slots.used = 1;
  Request& lost = requests.emplace_back();
  lost.wanted = {&slots};
  send(*loop, *room, lost, [] {});
  loop->poll();
  EXPECT_EQ(room->waiting(), 1U);
  Request& next = come(kNormal, "c");
  give_back(*room, {&slots});  // the turn is on its way to a loop that does not run any more
  loop.reset();
  go_on();
  EXPECT_TRUE(next.granted());
  EXPECT_EQ(room->waiting(), 0U);
}

}  // namespace
}  // namespace sluice::limit
