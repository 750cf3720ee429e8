#include "limit/fair_queue.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>

namespace sluice::limit {
namespace {

using namespace std::chrono_literals;
using enum Priority;
using Entry = FairQueue::Entry;

const TimePoint kStart{std::chrono::hours(1)};

// A queue and whoever is in it.
class Line {
 public:
  explicit Line(Weights weights = kDefaultWeights) : weights_(weights), queue_(weights_) {}

  Entry& come(Priority priority, std::string key) {
    auto entry = std::make_unique<Entry>(priority, std::move(key));
    entry->number = ++numbers_;
    queue_.insert(*entry, now);
    return *entries_.emplace(entry.get(), std::move(entry)).first->second;
  }
  void come(Priority priority, const std::string& key, int times) {
    for (int i = 0; i < times; ++i) come(priority, key);
  }
  void go(Entry& entry) {
    queue_.remove(entry, now);
    entries_.erase(&entry);
  }
  // Whose turn it was.
  std::pair<Priority, std::string> admit() {
    Entry& next = *queue_.first();
    const std::pair who(next.priority, next.key);
    admit(next);
    return who;
  }
  void admit(Entry& entry) {
    queue_.admitted(entry, ++numbers_, now);
    entries_.erase(&entry);
  }
  std::string keys(int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += admit().second;
    return all;
  }

  FairQueue& queue() { return queue_; }
  bool empty() const { return entries_.empty(); }

  TimePoint now = kStart;

 private:
  Weights weights_;
  FairQueue queue_;
  std::map<Entry*, std::unique_ptr<Entry>> entries_;
  std::uint64_t numbers_ = 0;
};

// Everybody always has somebody waiting.
std::map<Priority, int> shares(Weights weights, int rounds) {
  Line line(weights);
  for (Priority priority : {kHigh, kNormal, kLow}) line.come(priority, "k");
  std::map<Priority, int> got;
  for (int i = 0; i < rounds; ++i) {
    const Priority who = line.admit().first;
    ++got[who];
    line.come(who, "k");
  }
  return got;
}

void expect_about(int got, double wanted) { EXPECT_NEAR(got, wanted, wanted * 0.05); }

TEST(FairQueue, DividesSlotsBetweenClassesByTheirWeights) {
  auto got = shares(kDefaultWeights, 13'000);
  expect_about(got[kHigh], 8'000);
  expect_about(got[kNormal], 4'000);
  expect_about(got[kLow], 1'000);
  got = shares({5, 3, 2}, 10'000);
  expect_about(got[kHigh], 5'000);
  expect_about(got[kNormal], 3'000);
  expect_about(got[kLow], 2'000);
  got = shares({0, 0, 0}, 3'000);
  expect_about(got[kLow], 1'000);
}

TEST(FairQueue, GivesWhatOneClassDoesNotUseToTheOthers) {
  Line line;
  line.come(kLow, "k", 500);
  for (int i = 0; i < 500; ++i) EXPECT_EQ(line.admit().first, kLow);
  EXPECT_EQ(line.queue().first(), nullptr);
}

TEST(FairQueue, GivesNoCreditToAClassForTimeInWhichItHadNobody) {
  Line line;
  line.come(kHigh, "k", 1000);
  line.come(kNormal, "k", 1000);
  for (int i = 0; i < 900; ++i) line.admit();
  line.come(kLow, "k", 100);
  std::map<Priority, int> got;
  for (int i = 0; i < 130; ++i) ++got[line.admit().first];
  EXPECT_NEAR(got[kLow], 10, 1);
}

TEST(FairQueue, ForgetsNoChargeWhenAClassEmptiesAndComesBack) {
  Line line;
  line.come(kNormal, "k", 200);
  std::map<Priority, int> got;
  for (int i = 0; i < 130; ++i) {  // low has one at a time
    if (line.queue().size() == 200U - static_cast<unsigned>(got[kNormal])) line.come(kLow, "k");
    ++got[line.admit().first];
  }
  EXPECT_NEAR(got[kLow], 26, 2);
}

TEST(FairQueue, LetsAKeyWithOneWaitingNotWaitForAKeyWithAThousand) {
  Line line;
  line.come(kNormal, "a", 1000);
  line.come(kNormal, "b");
  EXPECT_EQ(line.keys(4), "abaa");
  line.come(kNormal, "c", 2);
  EXPECT_EQ(line.keys(5), "acaca");
}

TEST(FairQueue, LetsKeysTakeTurnsWhateverTheyHaveWaiting) {
  Line line;
  line.come(kNormal, "a", 100);
  line.come(kNormal, "b", 10);
  line.come(kNormal, "c", 3);
  std::map<std::string, int> got;
  for (int i = 0; i < 30; ++i) ++got[line.admit().second];
  EXPECT_EQ(got["c"], 3);
  EXPECT_EQ(got["b"], 10);
  EXPECT_EQ(got["a"], 17);
}

TEST(FairQueue, GivesNoCreditToAKeyThatComesAndGoes) {
  Line line;
  line.come(kNormal, "a", 100);
  line.come(kNormal, "b", 100);
  line.come(kNormal, "c");
  std::map<std::string, int> got;
  for (int i = 0; i < 30; ++i) {
    const auto who = line.admit().second;
    ++got[who];
    if (who == "c") line.come(kNormal, "c");  // never has two
  }
  EXPECT_EQ(got["a"], 10);
  EXPECT_EQ(got["b"], 10);
  EXPECT_EQ(got["c"], 10);
}

TEST(FairQueue, ServesAKeyInTheOrderOfArrival) {
  Line line;
  std::vector<Entry*> came;
  for (int i = 0; i < 50; ++i) {
    came.push_back(&line.come(kNormal, "a"));
    line.come(kNormal, "b");
  }
  std::vector<Entry*> served;
  while (Entry* next = line.queue().first()) {
    if (next->key == "a") served.push_back(next);
    line.admit(*next);
  }
  EXPECT_EQ(served, came);
}

TEST(FairQueue, KeepsThePlaceOfOneThatWasTriedAndChargesNobody) {
  Line line;
  line.come(kHigh, "a", 3);
  line.come(kHigh, "b", 3);
  line.come(kNormal, "c", 3);
  for (int i = 0; i < 100; ++i) {
    Entry* tried = line.queue().first();
    line.queue().take(*tried);
    EXPECT_NE(line.queue().first(), tried);
    line.queue().put_back(*tried);
    ASSERT_EQ(line.queue().first(), tried);
  }
  EXPECT_EQ(line.keys(9), "acbacbacb");
}

TEST(FairQueue, HandsOutEverybodyOnceInARoundOfTries) {
  Line line;
  line.come(kHigh, "a", 3);
  line.come(kNormal, "a", 3);
  line.come(kLow, "b", 3);
  std::vector<Entry*> tried;
  while (Entry* next = line.queue().first()) {
    line.queue().take(*next);
    tried.push_back(next);
  }
  EXPECT_EQ(tried.size(), 9U);
  EXPECT_EQ(line.queue().size(), 9U);
  for (Entry* entry : tried) line.queue().put_back(*entry);
  EXPECT_EQ(line.queue().first(), tried.front());
}

TEST(FairQueue, KeepsTheTurnOfAKeyWhoseOnlyEntryIsBeingTried) {
  Line line;
  line.come(kNormal, "a");
  Entry& last_of_a = line.come(kNormal, "a");
  line.come(kNormal, "b", 2);
  EXPECT_EQ(line.keys(1), "a");  // now it is b's turn
  line.queue().take(last_of_a);
  line.queue().put_back(last_of_a);
  EXPECT_EQ(line.keys(3), "bab");
}

TEST(FairQueue, PutsOneThatComesOverBeforeWhoeverCameLater) {
  Line line;
  Entry& moved = line.come(kNormal, "a");
  line.queue().remove(moved, line.now);
  line.come(kNormal, "b");
  line.come(kNormal, "c");
  line.queue().insert(moved, line.now);
  EXPECT_EQ(line.keys(3), "abc");
}

TEST(FairQueue, ForgetsWhoIsRemovedWhereverItStood) {
  Line line;
  Entry& first = line.come(kNormal, "a");
  Entry& middle = line.come(kNormal, "a");
  line.come(kNormal, "a");
  Entry& other = line.come(kLow, "b");
  line.queue().take(first);
  line.go(first);
  line.go(middle);
  line.go(other);
  EXPECT_EQ(line.queue().size(), 1U);
  EXPECT_EQ(line.keys(1), "a");
  EXPECT_EQ(line.queue().size(), 0U);
}

// Whatever is done to it: nobody is lost, nobody is served twice, and a key is served in order.
TEST(FairQueue, LosesNobodyInALongRandomLife) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    Line line;
    std::vector<Entry*> in, taken;
    const auto pick = [&](std::vector<Entry*>& from) {
      std::swap(from[random() % from.size()], from.back());
      Entry* one = from.back();
      from.pop_back();
      return one;
    };
    for (int step = 0; step < 3000; ++step) {
      const auto what = random() % 100;
      if (what < 40) {
        in.push_back(
            &line.come(static_cast<Priority>(random() % kPriorities), std::string(1, "abcdefgh"[random() % 8])));
      } else if (what < 60 && !in.empty()) {
        Entry* next = line.queue().first();
        for (const Entry* mate : in) {
          EXPECT_TRUE(mate->key != next->key || mate->priority != next->priority || mate->number >= next->number);
        }
        ASSERT_EQ(std::erase(in, next), 1U);
        line.queue().take(*next);
        taken.push_back(next);
      } else if (what < 70 && !taken.empty()) {
        in.push_back(pick(taken));
        line.queue().put_back(*in.back());
      } else if (what < 85 && !taken.empty()) {
        line.admit(*pick(taken));
      } else if (what < 95 && !in.empty()) {
        line.go(*pick(in));
      } else if (!taken.empty()) {
        line.go(*pick(taken));
      }
      ASSERT_EQ(line.queue().size(), in.size() + taken.size());
      ASSERT_EQ(line.queue().first() == nullptr, in.empty());
    }
    for (Entry* one : taken) line.queue().put_back(*one);
    while (line.queue().first() != nullptr) line.admit();
    EXPECT_TRUE(line.empty());
  }
}

// What before() says of a newcomer against how many really went before it.
TEST(FairQueue, KnowsAboutHowManyGoBeforeANewcomer) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937 random(seed);
    Line line;
    const unsigned keys = 1 + random() % 20;
    for (int i = 0; i < 300; ++i) {
      const auto key = std::min(random() % keys, random() % keys);  // some have more than others
      line.come(static_cast<Priority>(random() % kPriorities), std::to_string(key));
    }
    for (int i = 0; i < 30; ++i) line.admit();
    const Entry& newcomer = line.come(static_cast<Priority>(random() % kPriorities), std::to_string(random() % 25));
    const auto told = static_cast<double>(line.queue().before(newcomer));
    int before = 0;
    for (; line.queue().first() != &newcomer; ++before) line.admit();
    EXPECT_NEAR(told, before, 13 + 0.1 * before) << seed;  // 13: a whole turn of the three classes
  }
}

TEST(FairQueue, CountsExactlyWhoIsBeforeANewcomerOfTheOnlyClass) {
  Line line;
  line.come(kNormal, "a", 1000);
  EXPECT_EQ(line.queue().before(line.come(kNormal, "b")), 1U);
  EXPECT_EQ(line.queue().before(line.come(kNormal, "b")), 2U + 1U);  // two of a, one of b
  EXPECT_EQ(line.queue().before(line.come(kNormal, "a")), 1000U + 2U);
}

TEST(FairQueue, KnowsNoWaitBeforeItHasSeenEnough) {
  Line line;
  line.come(kNormal, "a", 10);
  const Entry& last = line.come(kNormal, "a");
  EXPECT_FALSE(line.queue().expected_wait(last, line.now));
  for (int i = 0; i < 3; ++i) line.admit();
  EXPECT_FALSE(line.queue().expected_wait(last, line.now + 10ms));
  line.now += 10ms;
  line.admit();
  EXPECT_TRUE(line.queue().expected_wait(last, line.now));
}

TEST(FairQueue, ExpectsTheWaitThatCameTrue) {
  for (const auto pace : {2ms, 50ms, 1000ms}) {
    Line line;
    line.come(kNormal, "a", 1000);
    for (int i = 0; i < 100; ++i) {
      line.now += pace;
      line.admit();
    }
    line.come(kNormal, "b", 20);
    const Entry& newcomer = line.come(kNormal, "b");
    const auto told = line.queue().expected_wait(newcomer, line.now);
    ASSERT_TRUE(told);
    const TimePoint came = line.now;
    for (bool served = false; !served;) {
      line.now += pace;
      served = line.queue().first() == &newcomer;
      line.admit();
    }
    const auto waited = std::chrono::duration<double>(line.now - came).count();
    EXPECT_NEAR(std::chrono::duration<double>(*told).count(), waited, waited * 0.1);
  }
}

}  // namespace
}  // namespace sluice::limit
