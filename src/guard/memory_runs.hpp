#pragma once
// Runs of this process. Any thread.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "sluice/core/clock.hpp"
#include "sluice/guard/runs.hpp"

namespace sluice::guard {

// How often each of the last few different things came.
class Tally {
 public:
  std::int64_t of(std::uint64_t what) const;
  std::int64_t add(std::uint64_t what);  // how often by now
  void take_back(std::uint64_t what);

 private:
  static constexpr std::size_t kMost = 64;  // different ones; the oldest makes room
  struct Row {
    std::uint64_t what = 0;
    std::uint32_t count = 0;
  };
  std::vector<Row> rows_;
  std::size_t next_ = 0;
};

class MemoryRuns {
 public:
  explicit MemoryRuns(const config::Guard& guard) { configure(guard); }

  void configure(const config::Guard& guard);
  Standing begin(const Turn& turn, TimePoint now);
  void end(const Turn& turn, const TurnEnd& end, TimePoint now);
  std::uint64_t runs() const;
  std::uint64_t evicted() const { return evicted_; }

 private:
  struct Run {
    Run(const RunKey& key, TimePoint now) : key(key), began(now), last(now) {}
    RunKey key;
    TimePoint began, last;
    std::int64_t turns = 0, nanodollars = 0, tokens = 0, parallel = 0;
    std::int64_t most_calls = 0;  // of one tool with the same arguments
    Tally requests, calls;
  };
  struct Hash {
    std::size_t operator()(const RunKey& key) const noexcept;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::list<Run> runs;  // the one that was busy last in front
    std::unordered_map<RunKey, std::list<Run>::iterator, Hash> places;
  };
  static constexpr std::size_t kShards = 64;

  Shard& shard_of(const RunKey& key) { return shards_[Hash()(key) % kShards]; }
  bool is_over(const Run& run, TimePoint now) const;
  Run& run_of(Shard& shard, const RunKey& key, TimePoint now);
  void make_room(Shard& shard, TimePoint now);
  static CapAmounts used_by(const Run& run, const Turn& turn, TimePoint now);

  std::array<Shard, kShards> shards_;
  std::atomic<std::int64_t> expires_ms_ = 0;
  std::atomic<std::size_t> most_in_shard_ = 1;
  std::atomic<std::uint64_t> evicted_ = 0;
};

}  // namespace sluice::guard
