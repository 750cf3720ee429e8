#include "limit/waiting_list.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>

namespace sluice::limit {
namespace {

using namespace std::chrono_literals;
using enum Priority;
using Entry = WaitingList::Entry;
using Answer = WaitingList::Answer;

const TimePoint kStart{std::chrono::hours(1)};

// Limits of concurrency with slots, and a list of those who want some.
class World {
 public:
  explicit World(std::size_t most = 1000) : list(most, kDefaultWeights) {}

  const Limit& limit(const std::string& name, std::int64_t slots) {
    return *(limits_[name] = std::make_unique<Limit>(
                 Limit{.id = name + "|concurrency", .node = name, .meter = Meter::kConcurrency, .most = slots}));
  }
  std::unique_ptr<Entry> wanting(Priority priority, std::string key, const std::vector<std::string>& names) {
    std::vector<const Limit*> needs;
    for (const auto& name : names) needs.push_back(limits_.at(name).get());
    return std::make_unique<Entry>(priority, std::move(key), std::move(needs));
  }
  // Comes to wait without a try of its own.
  Entry& come(Priority priority, std::string key, const std::vector<std::string>& names) {
    auto entry = wanting(priority, std::move(key), names);
    EXPECT_EQ(list.add(*entry, nullptr, now).answer, Answer::kWaits);
    Entry* raw = entry.get();
    entries_[raw] = std::move(entry);
    return *raw;
  }
  // Null: it has all it needs.
  const Limit* try_take(const Entry& entry) {
    ++tries;
    for (const Limit* need : entry.needs) {
      if (used[need] >= need->most) return need;
    }
    for (const Limit* need : entry.needs) ++used[need];
    return nullptr;
  }
  void give_back(const Entry& entry) {
    for (const Limit* need : entry.needs) {
      --used[need];
      list.open(need->id);
    }
  }
  // Tries until nobody has a turn. Who was granted, by key.
  std::string run() {
    std::string granted;
    while (Entry* next = list.next(now)) {
      if (const Limit* lacking = try_take(*next)) {
        list.refused(*next, *lacking, now);
      } else {
        granted += next->key;
        list.granted(*next, now);
        holders.push_back(next);
      }
    }
    return granted;
  }
  void go(Entry& entry) {
    list.remove(entry, now);
    entries_.erase(&entry);
  }

  TimePoint now = kStart;
  WaitingList list;
  std::map<const Limit*, std::int64_t> used;
  std::vector<Entry*> holders;
  int tries = 0;

 private:
  std::map<std::string, std::unique_ptr<Limit>> limits_;
  std::map<Entry*, std::unique_ptr<Entry>> entries_;
};

std::vector<Take> takes_of(const Entry& entry) {
  std::vector<Take> takes;
  for (const Limit* need : entry.needs) takes.push_back({need, 1});
  return takes;
}

TEST(WaitingList, GivesAFreeSlotToTheNextWithTwoTriesHoweverManyWait) {
  World world;
  world.limit("process", 1);
  Entry& first = world.come(kNormal, "a", {"process"});
  for (int i = 0; i < 500; ++i) world.come(kNormal, "b", {"process"});
  EXPECT_EQ(world.run(), "a");
  world.tries = 0;
  world.give_back(first);
  EXPECT_EQ(world.run(), "b");
  EXPECT_EQ(world.tries, 2);
}

TEST(WaitingList, IsNotHeldUpByOneWhoseOwnLimitIsFull) {
  World world;
  world.limit("process", 10);
  world.limit("key a", 0);
  for (int i = 0; i < 100; ++i) world.come(kHigh, "a", {"key a", "process"});
  for (int i = 0; i < 3; ++i) world.come(kLow, "b", {"process"});
  EXPECT_EQ(world.run(), "bbb");
  EXPECT_EQ(world.tries, 4);  // one of a is enough to know
}

TEST(WaitingList, TriesOnesOfTheSameKeyThatNeedSomethingElse) {
  World world;
  world.limit("model x", 0);
  world.limit("model y", 1);
  world.limit("key a", 5);
  world.come(kNormal, "a", {"key a", "model x"});
  world.come(kNormal, "a", {"key a", "model y"});
  EXPECT_EQ(world.run(), "a");
  EXPECT_EQ(world.list.size(), 1U);
}

TEST(WaitingList, DoesNotTryANewcomerWhoNeedsWhatIsKnownToBeFull) {
  World world;
  world.limit("process", 0);
  world.come(kNormal, "a", {"process"});
  EXPECT_EQ(world.run(), "");
  world.tries = 0;
  world.come(kHigh, "b", {"process"});
  EXPECT_EQ(world.run(), "");
  EXPECT_EQ(world.tries, 0);
}

TEST(WaitingList, TriesEverybodysLimitAgainWhenAnySlotMayBeFree) {
  World world;
  world.limit("x", 0);
  world.limit("y", 0);
  world.come(kNormal, "a", {"x"});
  world.come(kNormal, "b", {"y"});
  EXPECT_EQ(world.run(), "");
  EXPECT_EQ(world.tries, 2);
  for (auto sure : {WaitingList::Sure::kNo, WaitingList::Sure::kYes}) {
    world.tries = 0;
    world.list.open_all(sure);
    EXPECT_EQ(world.run(), "");
    EXPECT_EQ(world.tries, 2);
  }
}

TEST(WaitingList, TriesWhatIsFreeBeforeWhatMayBe) {
  World world;
  const Limit& x = world.limit("x", 0);
  const Limit& y = world.limit("y", 0);
  world.come(kNormal, "a", {"x"});
  world.come(kNormal, "b", {"y"});
  world.run();
  for (const auto& [free, key] : {std::pair(&x, "a"), std::pair(&y, "b")}) {
    world.list.open_all(WaitingList::Sure::kNo);
    world.list.open(free->id);
    Entry* next = world.list.next(world.now);
    ASSERT_NE(next, nullptr);
    EXPECT_EQ(next->key, key);
    world.list.refused(*next, *free, world.now);
    world.run();
  }
}

TEST(WaitingList, TriesAgainWhenASlotBecameFreeDuringTheTry) {
  World world;
  const Limit& x = world.limit("x", 0);
  world.come(kNormal, "a", {"x"});
  Entry* tried = world.list.next(world.now);
  ASSERT_NE(tried, nullptr);
  EXPECT_EQ(world.list.next(world.now), nullptr);
  world.list.open(x.id);
  world.list.refused(*tried, x, world.now);
  EXPECT_EQ(world.list.next(world.now), tried);
  world.list.refused(*tried, x, world.now);
  EXPECT_EQ(world.list.next(world.now), nullptr);
}

// What one holds for a moment until it finds another limit full may be just what somebody else is refused.
TEST(WaitingList, TriesAgainAfterATryThatMayHaveHeldASlotForAMoment) {
  World world;
  const Limit& x = world.limit("x", 1);
  const Limit& y = world.limit("y", 0);
  world.come(kNormal, "a", {"x"});
  world.come(kNormal, "b", {"x", "y"});
  Entry* a = world.list.next(world.now);
  Entry* b = world.list.next(world.now);  // two at a time
  ASSERT_NE(b, nullptr);
  world.list.refused(*a, x, world.now);  // because b held it
  EXPECT_EQ(world.list.next(world.now), nullptr);
  world.list.refused(*b, y, world.now);
  EXPECT_EQ(world.run(), "a");
}

TEST(WaitingList, MovesOneToTheQueueOfTheLimitThatWasFullAndKeepsItsPlaceByAge) {
  World world;
  const Limit& x = world.limit("x", 0);
  const Limit& y = world.limit("y", 0);
  Entry& old = world.come(kNormal, "a", {"x", "y"});
  EXPECT_EQ(world.run(), "");
  EXPECT_EQ(&old.waits_for(), &x);
  world.come(kNormal, "b", {"y"});
  EXPECT_EQ(world.run(), "");
  world.limit("z", 1);
  // x is free now, y is not.
  const_cast<Limit&>(x).most = 1;
  world.list.open(x.id);
  EXPECT_EQ(world.run(), "");
  EXPECT_EQ(&old.waits_for(), &y);
  const_cast<Limit&>(y).most = 2;
  world.list.open(y.id);
  EXPECT_EQ(world.run(), "ab");
}

TEST(WaitingList, KnowsWhetherANewcomerMustWait) {
  World world;
  world.limit("x", 0);
  world.limit("y", 1);
  world.limit("z", 1);
  Entry& waits = world.come(kNormal, "a", {"x", "y"});
  const auto y_and_z = world.wanting(kNormal, "b", {"y", "z"});
  const auto z_alone = world.wanting(kNormal, "b", {"z"});
  EXPECT_TRUE(world.list.anyone_needs(takes_of(*y_and_z)));
  EXPECT_FALSE(world.list.anyone_needs(takes_of(*z_alone)));
  world.go(waits);
  EXPECT_FALSE(world.list.anyone_needs(takes_of(*y_and_z)));
}

TEST(WaitingList, CaresOnlyForSlotsThatAreEnforced) {
  Limit rate, slots, seen;
  slots.meter = seen.meter = Meter::kConcurrency;
  seen.mode = Mode::kObserve;
  const std::vector<Take> takes = {{&rate, 1}, {&slots, 1}, {&seen, 1}};
  EXPECT_EQ(slots_of(takes), std::vector<const Limit*>{&slots});
}

TEST(WaitingList, DoesNotLetANewcomerTakeWhatAnOlderOneIsAboutToTry) {
  World world;
  const Limit& c = world.limit("c", 0);
  world.limit("a", 1);
  world.come(kNormal, "w", {"a", "c"});
  EXPECT_EQ(world.run(), "");
  const_cast<Limit&>(c).most = 1;
  world.list.open(c.id);
  world.come(kNormal, "n", {"a"});
  EXPECT_EQ(world.run(), "w");
}

TEST(WaitingList, RefusesANewcomerOfTheSameOrALowerClassWhenItIsFull) {
  World world(2);
  world.limit("x", 0);
  world.come(kNormal, "a", {"x"});
  world.come(kNormal, "b", {"x"});
  for (Priority priority : {kNormal, kLow}) {
    const auto newcomer = world.wanting(priority, "c", {"x"});
    EXPECT_EQ(world.list.add(*newcomer, nullptr, world.now).answer, Answer::kFull);
    EXPECT_FALSE(newcomer->listed());
  }
  EXPECT_EQ(world.list.size(), 2U);
}

TEST(WaitingList, LetsNobodyWaitIfThereIsNoRoomAtAll) {
  World world(0);
  const Limit& x = world.limit("x", 0);
  const auto newcomer = world.wanting(kHigh, "a", {"x"});
  EXPECT_EQ(world.list.add(*newcomer, &x, world.now).answer, Answer::kFull);
}

TEST(WaitingList, EvictsTheNewestOfTheKeyThatHasMostInTheLowestClass) {
  World world(6);
  world.limit("x", 0);
  world.limit("y", 0);
  world.come(kNormal, "n", {"x"});
  world.come(kLow, "a", {"x"});
  world.come(kLow, "a", {"x"});
  Entry& newest_of_a = world.come(kLow, "a", {"y"});  // wherever it stands
  world.come(kLow, "b", {"x"});
  world.come(kLow, "b", {"x"});
  world.run();
  const auto newcomer = world.wanting(kHigh, "h", {"x"});
  const auto added = world.list.add(*newcomer, nullptr, world.now);
  EXPECT_EQ(added.answer, Answer::kWaits);
  EXPECT_EQ(added.evicted, &newest_of_a);
  EXPECT_FALSE(newest_of_a.listed());
  EXPECT_EQ(world.list.size(), 6U);
  EXPECT_EQ(world.list.queued(), (std::array<std::size_t, kPriorities>{1, 1, 4}));
  world.list.remove(*newcomer, world.now);
}

TEST(WaitingList, EvictsNobodyWhoIsBeingTried) {
  World world(1);
  world.limit("x", 1);
  Entry& tried = world.come(kLow, "a", {"x"});
  EXPECT_EQ(world.list.next(world.now), &tried);
  const auto newcomer = world.wanting(kHigh, "h", {"x"});
  EXPECT_EQ(world.list.add(*newcomer, nullptr, world.now).answer, Answer::kFull);
}

TEST(WaitingList, RefusesAtOnceWhoCouldNotStartInTime) {
  World world;
  const Limit& x = world.limit("x", 1);
  for (int i = 0; i < 50; ++i) world.come(kNormal, "a", {"x"});
  world.run();
  for (int i = 0; i < 20; ++i) {  // ten a second
    world.now += 100ms;
    world.give_back(*world.holders.back());
    world.run();
  }
  const auto newcomer = [&](Priority priority, milliseconds patience) {
    auto entry = world.wanting(priority, "a", {"x"});
    entry->due = world.now + patience;
    const auto added = world.list.add(*entry, &x, world.now);
    if (entry->listed()) world.list.remove(*entry, world.now);
    return added;
  };
  // 29 wait, so it would be 3 seconds.
  EXPECT_EQ(newcomer(kNormal, 2s).answer, Answer::kLate);
  EXPECT_EQ(newcomer(kNormal, 4s).answer, Answer::kWaits);
  EXPECT_EQ(newcomer(kHigh, 500ms).answer, Answer::kWaits);
  const auto told = newcomer(kNormal, 2s).wait;
  ASSERT_TRUE(told);
  EXPECT_NEAR(std::chrono::duration<double>(*told).count(), 3.0, 0.3);
}

TEST(WaitingList, LetsTheFirstWaitHoweverSlowItWasBefore) {
  World world;
  const Limit& x = world.limit("x", 0);
  Entry& only = world.come(kNormal, "a", {"x"});
  world.run();
  world.now += 100s;
  world.go(only);
  auto next = world.wanting(kNormal, "a", {"x"});
  next->due = world.now + 1s;
  const auto added = world.list.add(*next, &x, world.now);
  EXPECT_EQ(added.answer, Answer::kWaits);
  EXPECT_GT(*added.wait, 10s);
  world.list.remove(*next, world.now);
}

TEST(WaitingList, JudgesTheWaitForOneLimitByThatLimitAlone) {
  World world;
  world.limit("slow", 0);
  const Limit& fast = world.limit("fast", 1);
  for (int i = 0; i < 100; ++i) world.come(kNormal, "s", {"slow"});
  for (int i = 0; i < 100; ++i) world.come(kNormal, "f", {"fast"});
  world.run();
  for (int i = 0; i < 50; ++i) {
    world.now += 50ms;
    world.give_back(*world.holders.back());
    world.run();
  }
  Entry& to_fast = world.come(kNormal, "f", {"fast"});
  world.list.open(fast.id);
  EXPECT_NEAR(std::chrono::duration<double>(*world.list.expected_wait(to_fast, world.now)).count(), 2.5, 0.3);
  Entry& to_slow = world.come(kNormal, "s", {"slow"});
  EXPECT_GT(*world.list.expected_wait(to_slow, world.now), 100s);
}

TEST(WaitingList, TakesNewBoundsWhileSomebodyWaits) {
  World world(1);
  world.limit("x", 0);
  world.come(kNormal, "a", {"x"});
  world.list.configure(2, kDefaultWeights);
  world.come(kNormal, "a", {"x"});
  world.list.configure(0, kDefaultWeights);
  EXPECT_EQ(world.list.size(), 2U);
}

// Nobody is lost, and nobody is left who could be served.
TEST(WaitingList, LeavesNobodyWhoCouldBeServedInALongRandomLife) {
  const std::vector<std::string> names = {"k1", "k2", "g", "p", "process"};
  const std::vector<std::vector<std::string>> paths = {
      {"k1", "g", "process"}, {"k2", "g", "process"}, {"p", "process"}, {"process"}, {"k1"}, {"k1", "p"}};
  for (unsigned seed = 0; seed < 30; ++seed) {
    std::mt19937 random(seed);
    World world;
    for (const auto& name : names) world.limit(name, 1 + random() % 4);
    std::vector<Entry*> all;
    for (int step = 0; step < 2000; ++step) {
      const auto what = random() % 10;
      if (what < 5) {
        const auto& path = paths[random() % paths.size()];
        all.push_back(&world.come(static_cast<Priority>(random() % kPriorities), std::to_string(random() % 5), path));
      } else if (what < 8 && !world.holders.empty()) {
        std::swap(world.holders[random() % world.holders.size()], world.holders.back());
        world.give_back(*world.holders.back());
        std::erase(all, world.holders.back());
        world.holders.pop_back();
      } else if (what < 9 && !all.empty()) {
        Entry* one = all[random() % all.size()];
        if (one->listed()) {
          std::erase(all, one);
          world.go(*one);
        }
      } else {
        world.list.open_all(random() % 2 == 0 ? WaitingList::Sure::kNo : WaitingList::Sure::kYes);
      }
      world.run();
      for (const Entry* one : all) {
        const bool blocked =
            std::ranges::any_of(one->needs, [&](auto* need) { return world.used[need] >= need->most; });
        ASSERT_TRUE(!one->listed() || blocked) << seed << " at " << step;
      }
    }
    const auto waiting = std::ranges::count_if(all, [](const Entry* one) { return one->listed(); });
    EXPECT_EQ(world.list.size(), static_cast<std::size_t>(waiting));
  }
}

}  // namespace
}  // namespace sluice::limit
