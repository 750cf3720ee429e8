#include "guard/memory_runs.hpp"

#include <algorithm>
#include <cstring>

namespace sluice::guard {

std::int64_t Tally::of(std::uint64_t what) const {
  const auto row = std::ranges::find(rows_, what, &Row::what);
  return row == rows_.end() ? 0 : row->count;
}

std::int64_t Tally::add(std::uint64_t what) {
  if (const auto row = std::ranges::find(rows_, what, &Row::what); row != rows_.end()) return ++row->count;
  if (rows_.size() < kMost) {
    rows_.push_back({what, 1});
  } else {
    rows_[next_++ % kMost] = {what, 1};
  }
  return 1;
}

void Tally::take_back(std::uint64_t what) {
  const auto row = std::ranges::find(rows_, what, &Row::what);
  if (row != rows_.end() && row->count > 0) --row->count;
}

std::size_t MemoryRuns::Hash::operator()(const RunKey& key) const noexcept {
  std::size_t bits = 0;  // of a digest: any part of it is a hash
  std::memcpy(&bits, key.bytes.data(), sizeof bits);
  return bits;
}

void MemoryRuns::configure(const config::Guard& guard) {
  expires_ms_ = guard.expires.count();
  most_in_shard_ = (guard.most_runs + kShards - 1) / kShards;
}

bool MemoryRuns::is_over(const Run& run, TimePoint now) const {
  return run.parallel == 0 && now - run.last >= milliseconds(expires_ms_.load());
}

MemoryRuns::Run& MemoryRuns::run_of(Shard& shard, const RunKey& key, TimePoint now) {
  const auto known = shard.places.find(key);
  if (known == shard.places.end()) {
    make_room(shard, now);
    shard.runs.emplace_front(key, now);
    shard.places.emplace(key, shard.runs.begin());
    return shard.runs.front();
  }
  Run& run = *known->second;
  shard.runs.splice(shard.runs.begin(), shard.runs, known->second);
  if (is_over(run, now)) run = Run(key, now);
  return run;
}

// Those that are over go first; they stand last.
void MemoryRuns::make_room(Shard& shard, TimePoint now) {
  while (!shard.runs.empty()) {
    const bool over = is_over(shard.runs.back(), now);
    if (!over && shard.runs.size() < most_in_shard_) return;
    if (!over) ++evicted_;
    shard.places.erase(shard.runs.back().key);
    shard.runs.pop_back();
  }
}

CapAmounts MemoryRuns::used_by(const Run& run, const Turn& turn, TimePoint now) {
  const auto lasted = std::chrono::floor<milliseconds>(now - run.began).count();
  return {run.turns, run.nanodollars, run.tokens, lasted, run.parallel, run.requests.of(turn.request), run.most_calls};
}

Standing MemoryRuns::begin(const Turn& turn, TimePoint now) {
  Shard& shard = shard_of(turn.run);
  const std::lock_guard lock(shard.mutex);
  Run& run = run_of(shard, turn.run, now);
  Standing standing{.used = used_by(run, turn, now)};
  standing.counted = !turn.enforce || !met(standing.used, turn.most);
  if (!standing.counted) return standing;
  run.last = now;
  ++run.turns;
  ++run.parallel;
  run.requests.add(turn.request);
  return standing;
}

void MemoryRuns::end(const Turn& turn, const TurnEnd& end, TimePoint now) {
  Shard& shard = shard_of(turn.run);
  const std::lock_guard lock(shard.mutex);
  const auto known = shard.places.find(turn.run);
  if (known == shard.places.end()) return;  // it had to make room
  Run& run = *known->second;
  run.last = now;
  run.parallel = std::max<std::int64_t>(run.parallel - 1, 0);
  run.nanodollars += end.nanodollars;
  run.tokens += end.tokens;
  for (const std::uint64_t call : end.calls) run.most_calls = std::max(run.most_calls, run.calls.add(call));
  if (!end.undone) return;
  run.turns = std::max<std::int64_t>(run.turns - 1, 0);
  run.requests.take_back(turn.request);
}

std::uint64_t MemoryRuns::runs() const {
  std::uint64_t sum = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    sum += shard.runs.size();
  }
  return sum;
}

}  // namespace sluice::guard
