// Many loops on threads of their own, clients that leave at any moment. No tick is given but where a test says so: a
// wake-up that got lost would leave somebody waiting for ever.

#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <random>
#include <thread>

#include "unit/limit/room_fixture.hpp"

namespace sluice::limit {
namespace {

using namespace std::chrono_literals;
using namespace testing;
using enum Priority;

constexpr int kThreads = 4;
constexpr auto kBound = 60s;

// What all threads share.
struct Shared {
  WaitingRoom& room;
  std::vector<std::vector<Slots*>> paths;  // a request takes one of these
  int requests = 0;                        // of each thread
  std::atomic<int> granted = 0, gone = 0, other = 0;
  std::atomic<bool> exceeded = false;
};

// A loop that always has some requests under way, each of which holds its slots for a few turns of the loop, and some
// of which leave after a few turns.
class Crowd {
 public:
  Crowd(Shared& shared, unsigned seed) : shared_(shared), random_(seed) {}

  void run(int at_once) {
    for (int i = 0; i < at_once; ++i) next();
    io_.run_for(kBound);
  }
  bool finished() const { return done_ == shared_.requests; }

 private:
  using Place = std::list<Request>::iterator;

  void next() {
    if (sent_ == shared_.requests) return;
    ++sent_;
    const Place request = requests_.emplace(requests_.end());
    request->wanted = shared_.paths[random_() % shared_.paths.size()];
    request->priority = static_cast<Priority>(random_() % kPriorities);
    request->key = std::to_string(random_() % 5);
    send(io_, shared_.room, *request, [this, request] { ended(request); });
    if (random_() % 3 == 0) leave_after(request, random_() % 50);
  }

  // The request may be over by then, and its signal then concerns nobody.
  void leave_after(Place request, unsigned turns) {
    leaving_.push_back(&*request);
    after(turns, [this, one = &*request] {
      if (std::erase(leaving_, one) > 0) one->leave.emit(net::cancellation_type::terminal);
    });
  }

  void after(unsigned turns, std::move_only_function<void()> what) {
    net::post(io_, [this, turns, what = std::move(what)]() mutable {
      if (turns == 0) return what();
      after(turns - 1, std::move(what));
    });
  }

  void ended(Place request) {
    std::erase(leaving_, &*request);
    if (!request->granted()) {
      ++(request->threw || request->error() == ErrorKind::kClientGone ? shared_.gone : shared_.other);
      return finish(request);
    }
    ++shared_.granted;
    for (const Slots* slots : request->wanted) {
      if (slots->used > slots->limit.most) shared_.exceeded = true;
    }
    after(random_() % 8, [this, request] {
      give_back(shared_.room, request->wanted);
      finish(request);
    });
  }

  void finish(Place request) {
    requests_.erase(request);
    ++done_;
    next();
  }

  Shared& shared_;
  std::mt19937 random_;
  std::list<Request> requests_;
  std::vector<Request*> leaving_;
  int sent_ = 0, done_ = 0;
  net::io_context io_{1};  // ends first
};

bool run_crowds(Shared& shared, int at_once, unsigned seed) {
  std::list<Crowd> crowds;
  for (unsigned i = 0; i < kThreads; ++i) crowds.emplace_back(shared, seed * kThreads + i);
  std::vector<std::thread> threads;
  for (Crowd& crowd : crowds) threads.emplace_back([&crowd, at_once] { crowd.run(at_once); });
  for (std::thread& thread : threads) thread.join();
  return std::ranges::all_of(crowds, &Crowd::finished);
}

void expect_all_served(const Shared& shared) {
  EXPECT_FALSE(shared.exceeded);
  EXPECT_EQ(shared.granted + shared.gone, kThreads * shared.requests);
  EXPECT_EQ(shared.other, 0);
  EXPECT_GT(shared.gone, 0);
  EXPECT_EQ(shared.room.waiting(), 0U);
}

TEST(WaitingRoomThreads, LoseNoWakeUpWhoeverLeavesAndWhenever) {
  const auto room = make_waiting_room({.timeout = 1h});
  Slots slots("process", 3);
  Shared shared{.room = *room, .paths = {{&slots}}, .requests = 3'000};
  for (unsigned seed = 0; seed < 3; ++seed) {
    shared.granted = shared.gone = 0;
    ASSERT_TRUE(run_crowds(shared, 20, seed)) << room->waiting() << " wait";
    expect_all_served(shared);
    EXPECT_EQ(slots.used, 0);
  }
}

// Hardly more requests than slots, so that the room empties and fills all the time.
TEST(WaitingRoomThreads, LoseNoWakeUpWhereTheRoomIsNearlyEmpty) {
  const auto room = make_waiting_room({.timeout = 1h});
  Slots slots("process", 7);
  Shared shared{.room = *room, .paths = {{&slots}}, .requests = 10'000};
  ASSERT_TRUE(run_crowds(shared, 2, 7)) << room->waiting() << " wait";
  expect_all_served(shared);
  EXPECT_EQ(slots.used, 0);
}

TEST(WaitingRoomThreads, LoseNoWakeUpWhereRequestsNeedSlotsOfSeveralLimits) {
  const auto room = make_waiting_room({.timeout = 1h});
  Slots a("key a", 1), b("key b", 2), group("group g", 2), process("process", 3);
  Shared shared{.room = *room,
                .paths = {{&a, &group, &process}, {&b, &group, &process}, {&b, &process}, {&process}, {&group, &a}},
                .requests = 3'000};
  for (unsigned seed = 0; seed < 3; ++seed) {
    shared.granted = shared.gone = 0;
    ASSERT_TRUE(run_crowds(shared, 20, seed)) << room->waiting() << " wait";
    expect_all_served(shared);
  }
  for (const Slots* one : {&a, &b, &group, &process}) EXPECT_EQ(one->used, 0);
}

// With everything that can happen to one who waits, and a tick, too.
TEST(WaitingRoomThreads, AnswerEverybodyOnceInAFullRoomWithDeadlines) {
  const auto room = make_waiting_room({.most = 30, .timeout = 20ms});
  Slots a("key a", 1), process("process", 2);
  Shared shared{.room = *room, .paths = {{&a, &process}, {&process}}, .requests = 5'000};
  std::atomic<bool> over = false;
  std::thread ticker([&] {
    while (!over) {
      room->tick(Clock::now());
      std::this_thread::yield();
    }
  });
  const bool finished = run_crowds(shared, 30, 11);
  over = true;
  ticker.join();
  ASSERT_TRUE(finished) << room->waiting() << " wait";
  EXPECT_FALSE(shared.exceeded);
  EXPECT_EQ(shared.granted + shared.gone + shared.other, kThreads * shared.requests);
  EXPECT_GT(shared.granted, 0);
  EXPECT_EQ(room->waiting(), 0U);
  EXPECT_EQ(process.used, 0);
  const auto counts = room->counts();
  EXPECT_GT(counts.full, 0U);
  EXPECT_GT(counts.evicted[1] + counts.evicted[2], 0U);
  EXPECT_EQ(counts.evicted[0], 0U);
}

}  // namespace
}  // namespace sluice::limit
