#include "server/recent_records.hpp"

#include <algorithm>
#include <new>

#include "sluice/core/text.hpp"

namespace sluice::server {
namespace {

constexpr std::size_t kLongestText = 256;  // bytes
constexpr std::size_t kMostAttempts = 16;

void put(std::string& to, std::string_view text) {
  if (text.size() <= kLongestText) {
    to.assign(text);
  } else {
    to = truncate_utf8(text, kLongestText);
  }
}

void put_attempts(std::vector<RecentAttempt>& to, const std::vector<observe::Attempt>& attempts) {
  to.resize(std::min(attempts.size(), kMostAttempts));
  for (std::size_t i = 0; i < to.size(); ++i) {
    const observe::Attempt& attempt = attempts[i];
    put(to[i].provider, attempt.provider);
    put(to[i].target, attempt.target);
    to[i].result = attempt.result;
    to[i].hedge = attempt.hedge;
    to[i].lasted = std::max(attempt.ended - attempt.began, nanoseconds(0));
  }
}

// The id comes last: a place without one was not filled, for want of memory.
void put_record(RecentRecord& to, const observe::Record& record) {
  to.request_id.clear();
  put(to.model, record.model);
  put(to.route, record.route);
  put(to.key, record.key);
  put(to.group, record.group);
  put(to.provider, record.provider);
  put(to.upstream_model, record.upstream_model);
  put(to.error, record.error);
  put(to.detail, record.detail);
  put(to.finish_reason, record.finish_reason);
  put(to.limit, record.limit);
  put(to.mirror_of, record.mirror_of);
  put(to.refresh_of, record.refresh_of);
  put_attempts(to.attempts, record.attempts);
  to.time = record.time;
  to.cache = record.cache;
  to.endpoint = record.endpoint;
  to.stream = record.stream;
  to.status = record.status;
  to.outcome = record.outcome;
  to.usage = record.usage;
  to.cost = record.cost;
  to.first_token = record.until(observe::Stage::kFirstToken);
  to.total = record.until(observe::Stage::kTotal);
  to.spent = record.spent();
  to.events = record.events;
  to.bytes_out = record.bytes_out;
  put(to.request_id, record.request_id);
}

}  // namespace

void RecentRecords::keep(std::size_t most) {
  if (most == most_) return;
  std::vector<RecentRecord> kept = newest_first();
  kept.resize(std::min(kept.size(), most));
  std::ranges::reverse(kept);
  ring_ = std::move(kept);
  most_ = most;
  next_ = ring_.size() == most ? 0 : ring_.size();
}

void RecentRecords::add(const observe::Record& record) {
  if (most_ == 0) return;
  try {
    if (next_ == ring_.size()) ring_.emplace_back();
    put_record(ring_[next_], record);
    next_ = (next_ + 1) % most_;
  } catch (const std::bad_alloc&) {
    // The place is taken by the next one.
  }
}

std::vector<RecentRecord> RecentRecords::newest_first() const {
  std::vector<RecentRecord> all;
  all.reserve(ring_.size());
  for (std::size_t i = 0; i < ring_.size(); ++i) {
    const RecentRecord& record = ring_[(next_ + 2 * ring_.size() - 1 - i) % ring_.size()];
    if (!record.request_id.empty()) all.push_back(record);
  }
  return all;
}

}  // namespace sluice::server
