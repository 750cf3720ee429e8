#include "limit/fair_queue.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <span>

namespace sluice::limit {
namespace {

constexpr std::uint64_t kStride = 1 << 20;  // of weight 1

}  // namespace

std::uint64_t FairQueue::stride_of(Priority priority) const {
  return kStride / std::max(1U, weights_[static_cast<std::size_t>(priority)]);
}

void FairQueue::add_candidate(Entry& entry) {
  Class& in = class_of(entry);
  Flow& flow = *entry.flow_;
  if (in.size == 0) in.pass = std::max(in.pass, time_);
  const std::size_t depth = flow.entries.size();
  if (in.deeper.size() <= depth) in.deeper.resize(depth + 1);
  ++in.deeper[depth];
  flow.entries.insert(&entry);
  if (depth == 0) in.ring.insert(&flow);
  ++in.size;
}

void FairQueue::drop_candidate(Entry& entry) {
  Class& in = class_of(entry);
  Flow& flow = *entry.flow_;
  flow.entries.erase(&entry);
  --in.deeper[flow.entries.size()];
  if (flow.entries.empty()) in.ring.erase(&flow);
  --in.size;
}

void FairQueue::insert(Entry& entry, TimePoint now) {
  if (size_++ == 0) drain_.wait_begins(now);
  auto [found, is_new] = class_of(entry).flows.try_emplace(entry.key);
  if (is_new) found->second.number = entry.number;
  entry.flow_ = &found->second;
  add_candidate(entry);
}

void FairQueue::remove(Entry& entry, TimePoint now) {
  Flow& flow = *entry.flow_;
  if (std::exchange(entry.taken_, false)) {
    --flow.taken;
  } else {
    drop_candidate(entry);
  }
  entry.flow_ = nullptr;
  if (flow.entries.empty() && flow.taken == 0) class_of(entry).flows.erase(entry.key);
  if (--size_ == 0) drain_.wait_ends(now);
}

FairQueue::Entry* FairQueue::first() const {
  const Class* next = nullptr;
  for (const Class& one : classes_) {
    if (one.size > 0 && (next == nullptr || one.pass < next->pass)) next = &one;
  }
  return next == nullptr ? nullptr : *(*next->ring.begin())->entries.begin();
}

// The flow stays, and with it the place of its key in the ring.
void FairQueue::take(Entry& entry) {
  drop_candidate(entry);
  ++entry.flow_->taken;
  entry.taken_ = true;
}

void FairQueue::put_back(Entry& entry) {
  entry.taken_ = false;
  --entry.flow_->taken;
  add_candidate(entry);
}

void FairQueue::admitted(Entry& entry, std::uint64_t turn, TimePoint now) {
  Class& from = class_of(entry);
  Flow& flow = *entry.flow_;
  time_ = std::max(time_, from.pass);
  from.pass += stride_of(entry.priority);
  const bool in_ring = from.ring.erase(&flow) > 0;
  flow.number = turn;
  if (in_ring) from.ring.insert(&flow);
  drain_.admitted(now);
  remove(entry, now);
}

std::size_t FairQueue::before(const Entry& entry) const {
  const auto own = static_cast<std::size_t>(entry.priority);
  const Class& in = classes_[own];
  const auto& mates = entry.flow_->entries;
  const auto depth = static_cast<std::size_t>(std::distance(mates.begin(), mates.lower_bound(&entry)));
  // Each key gets as many turns as its own gets before it...
  const auto levels = std::span(in.deeper).first(std::min(depth, in.deeper.size()));
  std::size_t before = std::accumulate(levels.begin(), levels.end(), std::size_t{0});
  // ... and then those whose turn comes first: all of them if its own key is the last in the ring, half of them else.
  const bool last = !in.ring.empty() && *in.ring.rbegin() == entry.flow_;
  if (depth < in.deeper.size() && in.deeper[depth] > 0) before += (in.deeper[depth] - 1U) / (last ? 1 : 2);
  std::size_t others = 0;
  for (std::size_t i = 0; i < kPriorities; ++i) {
    if (i == own) continue;
    const std::uint64_t share = (before + 1) * stride_of(entry.priority) / stride_of(static_cast<Priority>(i));
    others += std::min(classes_[i].size, static_cast<std::size_t>(share));
  }
  return before + others;
}

std::optional<std::chrono::nanoseconds> FairQueue::expected_wait(const Entry& entry, TimePoint now) const {
  const auto rate = drain_.per_second(now);
  if (!rate) return std::nullopt;
  const double seconds = static_cast<double>(before(entry) + 1) / *rate;
  constexpr double kMost = 1e6;  // more than anybody waits, and no overflow
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(std::min(seconds, kMost)));
}

}  // namespace sluice::limit
