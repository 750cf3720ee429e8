#include "limit/redis_books.hpp"

#include <algorithm>
#include <utility>

namespace sluice::limit {
namespace {

constexpr auto kLogPause = std::chrono::seconds(60);

std::string tag_of(const RedisLedgerOptions& options) { return "{" + options.prefix + "}:"; }

ScriptCalls::Settings settings_of(const RedisLedgerOptions& options) {
  return {.tag = tag_of(options), .lease = options.lease, .remembered = options.remembered, .clock = options.clock};
}

}  // namespace

RedisBooks::RedisBooks(MemoryLedger& shares_, RedisLedgerOptions options_)
    : options(std::move(options_)),
      calls(settings_of(options)),
      replica(new_lease_id()),
      limits(tag_of(options), replica),
      shares(shares_),
      replicas_(std::max(options.replicas, 1U)) {}

void RedisBooks::saw_replicas(std::int64_t alive) {
  const auto least = static_cast<std::int64_t>(std::max(options.replicas, 1U));
  replicas_ = static_cast<unsigned>(std::clamp<std::int64_t>(alive, least, 1'000'000));
}

void RedisBooks::went_local() {
  if (local_workers_.fetch_add(1) != 0) return;
  const unsigned count = replicas();
  std::string line = "limits: Redis is away; this replica keeps its share of every limit, 1 of " +
                     std::to_string(count) + ", by itself";
  if (const std::size_t none = limits.too_small_for(count); none > 0) {
    line += "; " + std::to_string(none) + " limits are smaller than that and admit nothing";
  }
  log(line);
}

void RedisBooks::came_back() {
  if (local_workers_.fetch_sub(1) == 1) log("limits: Redis is back; limits are shared again");
}

void RedisBooks::lost(Courier::Loss loss, std::string_view why) {
  if (loss == Courier::Loss::kRefused) return script_error(why);
  ++tally.lost;
  if (!may_log(loss_logged_)) return;
  std::string line = "limits: a settlement is lost: ";
  line.append(why) += "; in all ";
  log(line + std::to_string(tally.lost.load()));
}

void RedisBooks::script_error(std::string_view what) {
  ++tally.script_errors;
  if (!may_log(error_logged_)) return;
  log(std::string("limits: a script failed in Redis: ").append(truncate_utf8(what, 200)));
}

RedisLedgerCounts RedisBooks::counts() const {
  return {.shared = tally.shared,
          .local = tally.local,
          .unanswered = tally.unanswered,
          .unavailable = tally.unavailable,
          .settled = tally.settled,
          .repeated = tally.repeated,
          .lost = tally.lost,
          .script_errors = tally.script_errors,
          .waiting = static_cast<std::uint64_t>(std::max<std::int64_t>(tally.waiting, 0)),
          .replicas = replicas(),
          .local_only = local_workers_.load() > 0};
}

void RedisBooks::log(std::string_view line) const {
  if (options.log) options.log(line);
}

bool RedisBooks::may_log(std::atomic<TimePoint>& last) const {
  TimePoint before = last.load();
  const TimePoint now = Clock::now();
  return (before == TimePoint::min() || now - before > kLogPause) && last.compare_exchange_strong(before, now);
}

}  // namespace sluice::limit
