#pragma once
// The order in which requests get the slots of one limit: weighted fair between the classes of priority (stride
// scheduling), in turn between the keys of a class, first come first served within a key. A class or key that had
// nobody waiting gains no credit by that. Whoever is tried and not admitted keeps the place; only admissions count.
// Pure: no thread, no clock. Everything is O(log n), but for before() as it says.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "limit/drain_rate.hpp"
#include "sluice/core/admission.hpp"
#include "sluice/core/clock.hpp"

namespace sluice::limit {

using Weights = std::array<unsigned, kPriorities>;  // 0 counts as 1
inline constexpr Weights kDefaultWeights = {8, 4, 1};

// For maps that are asked with views of their keys.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
template <class T>
using TextMap = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

struct ByNumber {
  using is_transparent = void;
  bool operator()(const auto* a, const auto* b) const { return a->number < b->number; }
};

class FairQueue {
  struct Flow;

 public:
  // One who waits. Owned by the caller, who removes it before it is destroyed. `number` says who came first; no two
  // entries of a queue share one.
  struct Entry {
    Entry(Priority of, std::string owner) : priority(of), key(std::move(owner)) {}
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    const Priority priority;
    const std::string key;
    std::uint64_t number = 0;

   private:
    friend class FairQueue;
    Flow* flow_ = nullptr;
    bool taken_ = false;
  };

  // The weights are looked at with each admission; they outlive the queue.
  explicit FairQueue(const Weights& weights) : weights_(weights) {}
  FairQueue(const FairQueue&) = delete;
  FairQueue& operator=(const FairQueue&) = delete;

  // Its place follows from its number: one who comes over from another queue goes before whoever came later.
  void insert(Entry& entry, TimePoint now);
  void remove(Entry& entry, TimePoint now);  // taken or not
  Entry* first() const;                      // next in fair order of those that are not taken; null: nobody

  // While one is tried it is no candidate and keeps its place.
  void take(Entry& entry);
  void put_back(Entry& entry);
  // Removes it and charges its class and its key. `turn` is greater than every number so far and no entry's.
  void admitted(Entry& entry, std::uint64_t turn, TimePoint now);

  std::size_t size() const { return size_; }  // taken ones included
  // About how many are admitted before it. O(entries of its own key before it), a few additions per cache line.
  std::size_t before(const Entry& entry) const;
  // Until it is admitted, by the rate of the last seconds; nothing: too little was seen to tell.
  std::optional<std::chrono::nanoseconds> expected_wait(const Entry& entry, TimePoint now) const;
  bool forgotten(TimePoint now) const { return size_ == 0 && drain_.forgotten(now); }

 private:
  struct Flow {                // the entries of one key in one class
    std::uint64_t number = 0;  // its place in the ring
    std::set<Entry*, ByNumber> entries;
    std::size_t taken = 0;
  };
  struct Class {
    std::uint64_t pass = 0;  // stride scheduling: the class with the least is next
    std::size_t size = 0;    // candidates
    TextMap<Flow> flows;
    std::set<Flow*, ByNumber> ring;  // flows that have candidates
    std::vector<unsigned> deeper;    // [k]: flows with more than k candidates
  };

  Class& class_of(const Entry& entry) { return classes_[static_cast<std::size_t>(entry.priority)]; }
  std::uint64_t stride_of(Priority priority) const;
  void add_candidate(Entry& entry);
  void drop_candidate(Entry& entry);

  const Weights& weights_;
  std::array<Class, kPriorities> classes_;
  std::uint64_t time_ = 0;  // the pass of the class admitted from last, as it was then
  std::size_t size_ = 0;
  DrainRate drain_;
};

}  // namespace sluice::limit
