#pragma once
// Calls of tools that wait for their results: what an answer asked for, until a later request brings it. In this
// process, bounded; what has waited longest makes room. Any thread: spread over shards like runs (see runs.hpp).

#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sluice/api/tool_calls.hpp"
#include "sluice/config/guarding.hpp"
#include "sluice/core/clock.hpp"

namespace sluice::guard {

struct ToolLogCounts {
  std::uint64_t waiting = 0;  // with those that are remembered so as not to be told again
  std::uint64_t evicted = 0;  // before their results came
};

class ToolLog {
 public:
  explicit ToolLog(const config::Guard& guard) { configure(guard); }
  void configure(const config::Guard& guard);

  struct Asker {
    std::string_view owner;       // ids of calls are its own
    std::string_view run_id;      // empty: none
    std::string_view request_id;  // whose answer asks
  };
  void asked(const Asker& asker, const std::vector<api::ToolCall>& calls, TimePoint now);

  struct Asked {
    std::string name;
    std::uint64_t arguments = 0;
    std::string request_id;  // of whose answer asked; empty: that was not seen
    TimePoint when{};
    std::uint32_t earlier = 0;  // calls of the same tool with the same arguments in its run
  };
  // A result of a call has come. Nothing: it had come before, since requests repeat what was said.
  std::optional<Asked> brought(std::string_view owner, std::string_view call_id, TimePoint now);
  ToolLogCounts counts() const;

 private:
  struct Entry {
    std::uint64_t key = 0;
    Asked asked;
    TimePoint since{};
    std::uint32_t count = 0;  // of a call in its run
    bool told = false;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::list<Entry> entries;  // the newest in front
    std::unordered_map<std::uint64_t, std::list<Entry>::iterator> places;
  };
  static constexpr std::size_t kShards = 64;

  Shard& shard_of(std::uint64_t key) { return shards_[key % kShards]; }
  Entry& entry_of(Shard& shard, std::uint64_t key, TimePoint now);
  std::uint32_t count_in_run(const Asker& asker, const api::ToolCall& call, TimePoint now);

  std::array<Shard, kShards> shards_;
  std::atomic<std::int64_t> expires_ms_ = 0;
  std::atomic<std::size_t> most_in_shard_ = 1;
  std::atomic<std::uint64_t> evicted_ = 0;
};

}  // namespace sluice::guard
