#pragma once
// How many series the metrics may have, all workers together. A series begins when its labels are first seen; once
// there is no room left, what comes later is counted as "other". This is decided once and for the whole process:
// otherwise the copies of the workers would add up to more than the bound, and a counter could go back from one scrape
// to the next.

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace sluice::observe {

// What names a series. Each kind has room of its own, so that many of one leave room for the others.
enum class SeriesKind : std::uint8_t {
  kHistogram,  // models and targets; each bucket is a series
  kModel,      // counts by endpoint, model and provider
  kTarget,     // counts by provider and target
  kHealth,     // how targets and credentials are
  kOwner,      // counts by key, tag and limit
};
inline constexpr std::size_t kSeriesKinds = 5;
inline constexpr std::array<std::string_view, kSeriesKinds> kSeriesKindNames = {"histogram", "model", "target",
                                                                                "health", "owner"};

// Any thread. A lock is taken only where a worker sees labels for the first time, and no more once a kind is full.
class SeriesBudget {
 public:
  // Of those, so many are kept back for "other" and for labels of closed sets. Of the rest one half is for histograms,
  // and an eighth for each other kind.
  static constexpr std::size_t kKeptBack = 1000;
  using Tell = std::function<void(SeriesKind kind)>;  // called on the first refusal of each kind, by whoever meets it

  explicit SeriesBudget(std::size_t max_series, Tell tell = {});
  SeriesBudget(const SeriesBudget&) = delete;
  SeriesBudget& operator=(const SeriesBudget&) = delete;

  // Whether what is known by this id may have so many series. What is said once is said for ever; after the first no of
  // a kind nothing new of that kind is let in. Throws std::bad_alloc, and then has said nothing.
  bool admit(SeriesKind kind, std::string_view id, std::size_t series);

  std::size_t used(SeriesKind kind) const { return of(kind).used; }
  std::size_t most(SeriesKind kind) const { return of(kind).most; }

 private:
  struct Part {
    std::size_t most = 0;
    std::atomic<std::size_t> used = 0;
    std::atomic<bool> full = false;  // once it is, `known` stays as it is and is read without the lock
    std::set<std::string, std::less<>> known;
  };
  Part& of(SeriesKind kind) { return parts_[static_cast<std::size_t>(kind)]; }
  const Part& of(SeriesKind kind) const { return parts_[static_cast<std::size_t>(kind)]; }

  std::array<Part, kSeriesKinds> parts_;
  std::mutex mutex_;
  Tell tell_;
};

// One worker's way to it; counts how often the answer was no. Of one thread.
class SeriesGate {
 public:
  // Null: there is no bound.
  explicit SeriesGate(SeriesBudget* budget) : budget_(budget) {}
  bool admit(SeriesKind kind, std::string_view id, std::size_t series);
  void merge(const SeriesGate& other);
  std::uint64_t refused(SeriesKind kind) const { return refused_[static_cast<std::size_t>(kind)]; }

 private:
  SeriesBudget* budget_;
  std::array<std::uint64_t, kSeriesKinds> refused_{};
};

// What the budget holds, in the text exposition format.
std::string render_series_budget(const SeriesBudget& budget);

}  // namespace sluice::observe
