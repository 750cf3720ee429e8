#include "sluice/guard/tool_log.hpp"

#include "sluice/core/digest.hpp"
#include "sluice/core/text.hpp"

namespace sluice::guard {
namespace {

// Of parts whose ends are known, whatever they hold.
std::uint64_t key_of(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) {
    append_number(text, part.size());
    text.append(":").append(part);
  }
  return digest64(text);
}

}  // namespace

void ToolLog::configure(const config::Guard& guard) {
  expires_ms_ = guard.expires.count();
  most_in_shard_ = (guard.most_tool_calls + kShards - 1) / kShards;
}

ToolLog::Entry& ToolLog::entry_of(Shard& shard, std::uint64_t key, TimePoint now) {
  const auto is_over = [&](const Entry& entry) { return now - entry.since >= milliseconds(expires_ms_.load()); };
  const auto known = shard.places.find(key);
  if (known != shard.places.end()) {
    if (is_over(*known->second)) *known->second = {.key = key, .asked = {}, .since = now};
    return *known->second;
  }
  while (!shard.entries.empty()) {
    const Entry& oldest = shard.entries.back();
    if (!is_over(oldest) && shard.entries.size() < most_in_shard_) break;
    if (!is_over(oldest) && !oldest.told && oldest.count == 0) ++evicted_;
    shard.places.erase(oldest.key);
    shard.entries.pop_back();
  }
  shard.entries.push_front({.key = key, .asked = {}, .since = now});
  shard.places.emplace(key, shard.entries.begin());
  return shard.entries.front();
}

// How many there were before it.
std::uint32_t ToolLog::count_in_run(const Asker& asker, const api::ToolCall& call, TimePoint now) {
  if (asker.run_id.empty()) return 0;
  const std::uint64_t key = key_of({"run", asker.owner, asker.run_id, call.name, std::to_string(call.arguments)});
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  return entry_of(shard, key, now).count++;
}

void ToolLog::asked(const Asker& asker, const std::vector<api::ToolCall>& calls, TimePoint now) {
  for (const api::ToolCall& call : calls) {
    const std::uint32_t earlier = count_in_run(asker, call, now);
    const std::uint64_t key = key_of({"call", asker.owner, call.id});
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    Entry& entry = entry_of(shard, key, now);
    // Some upstreams number their calls anew in each answer: the last one of that id is the one.
    entry.asked = {.name = call.name,
                   .arguments = call.arguments,
                   .request_id = std::string(asker.request_id),
                   .when = now,
                   .earlier = earlier};
    entry.since = now;
    entry.told = false;
  }
}

std::optional<ToolLog::Asked> ToolLog::brought(std::string_view owner, std::string_view call_id, TimePoint now) {
  const std::uint64_t key = key_of({"call", owner, call_id});
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  Entry& entry = entry_of(shard, key, now);
  if (std::exchange(entry.told, true)) return std::nullopt;
  return std::move(entry.asked);
}

ToolLogCounts ToolLog::counts() const {
  ToolLogCounts counts{.evicted = evicted_};
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    counts.waiting += shard.entries.size();
  }
  return counts;
}

}  // namespace sluice::guard
