#include "sluice/limit/redis_ledger.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <mutex>
#include <utility>

#include "limit/desk.hpp"

namespace sluice::limit {
namespace {

constexpr std::size_t kMostDesks = 1024;

class SharedLedger final : public RedisLedger {
 public:
  SharedLedger(MemoryLedger& local, RedisLedgerOptions options)
      : books_(std::make_shared<RedisBooks>(local, std::move(options))) {}
  ~SharedLedger() override;

  void attach(net::io_context& io, redis::Client& client) override;
  Task<void> finish(TimePoint due) override;
  RedisLedgerCounts counts() const override { return books_->counts(); }

  void know(Limit& limit) override { limit.state = books_->limits.find_or_make(limit); }
  std::optional<Verdict> admit_now(const std::vector<Take>& takes, WallTime now) override;
  Task<Result<Verdict>> admit(std::vector<Take> takes, WallTime now) override;
  Task<Result<std::vector<Standing>>> look(std::vector<const Limit*> limits, WallTime now) override;

 protected:
  void settle(Grant& grant, std::span<const std::int64_t> used) noexcept override;
  bool extend(Grant& grant, Money amount) override;

 private:
  struct Found {
    Desk* desk = nullptr;
    std::int64_t number = 0;
  };
  Found here() const;
  Verdict verdict_of(Decision decision, std::vector<Take> takes, std::int64_t desk);
  void settle_at(Desk& desk, Grant& grant, std::span<const std::int64_t> used);

  const std::shared_ptr<RedisBooks> books_;
  std::mutex attach_mutex_;
  std::array<std::shared_ptr<Desk>, kMostDesks> desks_;  // only grows
  std::atomic<std::size_t> desk_count_{0};
};

// What is under way on a loop that still turns ends by itself.
SharedLedger::~SharedLedger() {
  for (std::size_t i = 0; i < desk_count_.load(); ++i) {
    net::post(desks_[i]->io(), [desk = desks_[i]] { desk->close(); });
  }
}

void SharedLedger::attach(net::io_context& io, redis::Client& client) {
  const std::lock_guard lock(attach_mutex_);
  const std::size_t number = desk_count_.load();
  if (number == kMostDesks) throw std::length_error("too many workers");
  desks_[number] = std::make_shared<Desk>(io, client, books_);
  desks_[number]->open();
  desk_count_.store(number + 1);
}

// The newest of a thread: ids of threads that have ended are given to others.
SharedLedger::Found SharedLedger::here() const {
  for (std::size_t i = desk_count_.load(); i > 0; --i) {
    if (desks_[i - 1]->belongs_here()) return {desks_[i - 1].get(), static_cast<std::int64_t>(i - 1)};
  }
  return {};
}

std::unexpected<Error> no_desk() {
  return fail(ErrorKind::kInternal, "The gateway made a mistake.", "a thread without a desk asks the shared ledger");
}

Verdict SharedLedger::verdict_of(Decision decision, std::vector<Take> takes, std::int64_t desk) {
  if (auto* refusal = std::get_if<Refusal>(&decision)) return *refusal;
  Admitted& admitted = std::get<Admitted>(decision);
  Grant grant = grant_of(std::move(takes));
  standings(grant) = std::move(admitted.standings);
  observed(grant) = admitted.observed;
  places(grant) = {static_cast<std::int64_t>(admitted.place), desk};
  return grant;
}

std::optional<Verdict> SharedLedger::admit_now(const std::vector<Take>& takes, WallTime now) {
  const Found found = here();
  if (found.desk == nullptr) return std::nullopt;
  auto decision = found.desk->admit_now(takes, now);
  if (!decision) return std::nullopt;
  return verdict_of(std::move(*decision), takes, found.number);
}

Task<Result<Verdict>> SharedLedger::admit(std::vector<Take> takes, WallTime now) {
  const Found found = here();
  if (found.desk == nullptr) co_return no_desk();
  auto decision = co_await found.desk->admit(takes, now);
  if (!decision) co_return std::unexpected(std::move(decision).error());
  co_return verdict_of(std::move(*decision), std::move(takes), found.number);
}

Task<Result<std::vector<Standing>>> SharedLedger::look(std::vector<const Limit*> limits, WallTime now) {
  const Found found = here();
  if (found.desk == nullptr) co_return no_desk();
  co_return co_await found.desk->look(std::move(limits), now);
}

Task<void> SharedLedger::finish(TimePoint due) {
  const Found found = here();
  if (found.desk != nullptr) co_await found.desk->finish(due);
}

// Should memory run out here, the lease ends by itself.
void SharedLedger::settle(Grant& grant, std::span<const std::int64_t> used) noexcept {
  try {
    if (places(grant).size() != 2) return;
    const auto place = static_cast<std::size_t>(places(grant)[0]);
    const auto& desk = desks_[static_cast<std::size_t>(places(grant)[1])];
    if (desk->belongs_here()) return desk->settle(place, used);
    net::post(desk->io(), [desk, place, all = std::vector(used.begin(), used.end())] { desk->settle(place, all); });
  } catch (...) {
    books_->lost(Courier::Loss::kNoRoom, "out of memory");
  }
}

bool SharedLedger::extend(Grant& grant, Money amount) {
  if (places(grant).size() != 2) return false;
  const auto& desk = desks_[static_cast<std::size_t>(places(grant)[1])];
  const Money more = std::max(amount, Money());
  if (!desk->belongs_here() || !desk->extend(static_cast<std::size_t>(places(grant)[0]), more)) return false;
  for (Take& take : takes(grant)) {
    if (take.limit->meter == Meter::kMoney) take.amount = (Money::nanodollars(take.amount) + more).nanodollars();
  }
  return true;
}

}  // namespace

std::unique_ptr<RedisLedger> make_redis_ledger(MemoryLedger& local, RedisLedgerOptions options) {
  return std::make_unique<SharedLedger>(local, std::move(options));
}

}  // namespace sluice::limit
