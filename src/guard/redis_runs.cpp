#include "guard/redis_runs.hpp"

#include <array>
#include <vector>

#include "sluice/core/ids.hpp"
#include "sluice/core/text.hpp"

namespace sluice::guard {
namespace {

// KEYS: the run, its calls under way. ARGV: life of a run and of a call in ms, id of the turn, what it asks, whether
// caps are enforced, then from how much on each cap is met (-1: never). All by the clock of Redis. Of what is asked,
// some thousand different things are counted.
const redis::Script& begin_script() {
  static const redis::Script script(R"(
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local asked = 'r:' .. ARGV[4]
local run = redis.call('HMGET', KEYS[1], 'began', 'turns', 'cost', 'tokens', 'calls', asked)
local began = tonumber(run[1]) or now
local used = {tonumber(run[2]) or 0, tonumber(run[3]) or 0, tonumber(run[4]) or 0, now - began,
              redis.call('ZCARD', KEYS[2]), tonumber(run[6]) or 0, tonumber(run[5]) or 0}
local counted = 1
if ARGV[5] == '1' then
  for i = 1, 7 do
    local from = tonumber(ARGV[5 + i])
    if from >= 0 and used[i] >= from then counted = 0 end
  end
end
if counted == 1 then
  redis.call('HSETNX', KEYS[1], 'began', now)
  redis.call('HINCRBY', KEYS[1], 'turns', 1)
  if run[6] or redis.call('HLEN', KEYS[1]) < 4096 then redis.call('HINCRBY', KEYS[1], asked, 1) end
  redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
end
used[8] = counted
return used
)");
  return script;
}

// KEYS: the run, its calls under way. ARGV: life of a run in ms, id of the turn, what it asked, what it cost and used,
// whether it was no turn, then the tools that it calls. What has ended already, or was forgotten, is left alone.
const redis::Script& end_script() {
  static const redis::Script script(R"(
if redis.call('ZREM', KEYS[2], ARGV[2]) == 0 or redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HINCRBY', KEYS[1], 'cost', ARGV[4])
redis.call('HINCRBY', KEYS[1], 'tokens', ARGV[5])
if ARGV[6] == '1' then
  redis.call('HINCRBY', KEYS[1], 'turns', -1)
  redis.call('HINCRBY', KEYS[1], 'r:' .. ARGV[3], -1)
end
local most = tonumber(redis.call('HGET', KEYS[1], 'calls')) or 0
for i = 7, #ARGV do
  local name = 'c:' .. ARGV[i]
  local count = 0
  if redis.call('HEXISTS', KEYS[1], name) == 1 or redis.call('HLEN', KEYS[1]) < 4096 then
    count = redis.call('HINCRBY', KEYS[1], name, 1)
  end
  if count > most then most = count end
end
if most > 0 then redis.call('HSET', KEYS[1], 'calls', most) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
)");
  return script;
}

std::string hex(std::uint64_t bits) {
  std::string out;
  append_hex(out, bits, 16);
  return out;
}

// From how much on the cap is met.
std::string from_of(Cap cap, std::int64_t most) {
  if (most == kNoCap) return "-1";
  return std::to_string(cap == Cap::kSameToolCall ? most + 1 : most);
}

using Texts = std::vector<std::string>;
std::vector<std::string_view> views(const Texts& texts) { return {texts.begin(), texts.end()}; }

}  // namespace

RedisRuns::RedisRuns(const config::Redis& redis, const config::Guard& guard)
    : prefix_("{" + redis.prefix + "}:run:"), deadline_(redis.deadline) {
  configure(guard);
}

void RedisRuns::configure(const config::Guard& guard) {
  expires_ms_ = guard.expires.count();
  longest_call_ms_ = guard.longest_call.count();
}

std::string RedisRuns::key(const RunKey& run, std::string_view what) const {
  std::string key = prefix_;
  for (const std::uint8_t byte : run.bytes) append_hex(key, byte, 2);
  return key.append(what);
}

Task<std::optional<Standing>> RedisRuns::begin(redis::Client& client, Turn turn, TimePoint due) const {
  const Texts keys = {key(turn.run, ""), key(turn.run, ":calls")};
  Texts args = {std::to_string(expires_ms_), std::to_string(longest_call_ms_), hex(turn.id), hex(turn.request),
                turn.enforce ? "1" : "0"};
  for (std::size_t i = 0; i < kCaps; ++i) args.push_back(from_of(static_cast<Cap>(i), turn.most[i]));
  const auto key_views = views(keys);
  const auto arg_views = views(args);
  const auto reply = co_await client.eval(begin_script(), key_views, arg_views, due);
  if (!reply || reply->items.size() != kCaps + 1) co_return std::nullopt;
  Standing standing{.shared = true};
  for (std::size_t i = 0; i < kCaps; ++i) standing.used[i] = reply->items[i].integer;
  standing.counted = reply->items[kCaps].integer == 1;
  co_return standing;
}

Task<bool> RedisRuns::end(redis::Client& client, Turn turn, TurnEnd end, TimePoint due) const {
  const Texts keys = {key(turn.run, ""), key(turn.run, ":calls")};
  Texts args = {std::to_string(expires_ms_), hex(turn.id),          hex(turn.request), std::to_string(end.nanodollars),
                std::to_string(end.tokens),  end.undone ? "1" : "0"};
  for (const std::uint64_t call : end.calls) args.push_back(hex(call));
  const auto key_views = views(keys);
  const auto arg_views = views(args);
  const auto reply = co_await client.eval(end_script(), key_views, arg_views, due);
  co_return reply && reply->is_integer();
}

}  // namespace sluice::guard
