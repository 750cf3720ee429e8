#include "limit/shared_limit.hpp"

#include <algorithm>

namespace sluice::limit {
namespace {

std::int64_t share(std::int64_t most, unsigned replicas) {
  return std::max<std::int64_t>(most, 0) / static_cast<std::int64_t>(std::max(replicas, 1U));
}

}  // namespace

Kind kind_of(Meter meter) {
  if (meter == Meter::kConcurrency) return Kind::kSlots;
  return meter == Meter::kMoney ? Kind::kBudget : Kind::kWindow;
}

SharedLimit::SharedLimit(const Limit& limit, std::string_view tag, std::string_view owner)
    : id_(limit.id),
      kind_(kind_of(limit.meter)),
      window_(std::max(limit.window, std::chrono::seconds(1))),
      shared_(owner.empty()) {
  const std::string name = shared_ ? id_ : id_ + "@" + std::string(owner);
  key_.append(tag) += static_cast<char>(kind_);
  key_.append(":").append(name);
  if (kind_ != Kind::kBudget) return;
  key_ += ':';
  holds_key_.append(tag).append("h:").append(name) += ':';
}

bool SharedLimit::raise_told(const Term& term, unsigned percent) {
  const std::lock_guard lock(mutex_);
  if (term.from < told_term_.from || (term == told_term_ && percent <= told_)) return false;
  told_term_ = term;
  told_ = percent;
  return true;
}

std::shared_ptr<const Limit> SharedLimit::newest() const {
  const std::lock_guard lock(mutex_);
  return newest_;
}

// Without its state, which would hold this for ever.
void SharedLimit::renew(const Limit& limit) {
  auto copy = std::make_shared<Limit>(limit);
  copy->state = nullptr;
  const std::lock_guard lock(mutex_);
  newest_ = std::move(copy);
}

const Limit& SharedLimit::share_of(const Limit& limit, unsigned replicas, MemoryLedger& local) {
  const std::int64_t most = share(limit.most, shared_ ? replicas : 1);
  const std::lock_guard lock(mutex_);
  auto& made = shares_[{most, limit.mode}];
  if (!made) {
    auto copy = std::make_unique<Limit>(limit);
    copy->most = most;
    copy->state = nullptr;
    local.know(*copy);
    made = std::move(copy);
  }
  return *made;
}

bool SharedLimit::too_small_for(unsigned replicas) const {
  const std::lock_guard lock(mutex_);
  return shared_ && kind_ != Kind::kBudget && newest_ && newest_->mode == Mode::kEnforce && newest_->most > 0 &&
         share(newest_->most, replicas) == 0;
}

std::shared_ptr<SharedLimit> SharedLimits::find_or_make(const Limit& limit) {
  const std::lock_guard lock(mutex_);
  std::weak_ptr<SharedLimit>& place = limits_[limit.id];
  auto found = place.lock();
  if (!found) {
    found = std::make_shared<SharedLimit>(limit, tag_, limit.node == "process" ? replica_ : std::string());
    place = found;
  }
  found->renew(limit);
  if (limits_.size() >= sweep_at_) sweep();
  return found;
}

std::size_t SharedLimits::too_small_for(unsigned replicas) {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count_if(limits_, [replicas](const auto& entry) {
    const auto limit = entry.second.lock();
    return limit && limit->too_small_for(replicas);
  }));
}

void SharedLimits::sweep() {
  std::erase_if(limits_, [](const auto& entry) { return entry.second.expired(); });
  sweep_at_ = std::max<std::size_t>(2 * limits_.size(), 1024);
}

}  // namespace sluice::limit
