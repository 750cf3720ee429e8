// This replica decides, by its share of each limit.

#include <algorithm>
#include <utility>

#include "limit/desk.hpp"

namespace sluice::limit {
namespace {

bool is_budget(const Take& take) { return take.limit->meter == Meter::kMoney; }

std::int64_t amount_of(const Take& take) { return std::max<std::int64_t>(take.amount, 0); }

std::int64_t used_of(std::span<const std::int64_t> used, std::size_t place) {
  return place < used.size() ? std::max<std::int64_t>(used[place], 0) : 0;
}

std::unexpected<Error> unavailable(const Limit& limit) {
  Error error;
  error.kind = ErrorKind::kBudgetUnavailable;
  error.message = "The budget of this request cannot be checked right now; please try again in a moment.";
  error.detail = limit.node + ": the share of " + limit.id + " is used up while Redis is away";
  error.retry_after = milliseconds(2000);
  return std::unexpected(std::move(error));
}

}  // namespace

Result<Decision> Desk::decide(Lease lease, WallTime now, bool told) {
  ++books_->tally.local;
  Admitted admitted{.place = 0, .observed = 0, .standings = std::vector<Standing>(lease.takes.size())};
  const std::size_t count = take_budgets(lease, admitted);
  const bool enough = count == lease.takes.size();
  auto verdict = enough ? take_shares(lease, now, admitted) : Verdict(Refusal{.index = count});
  if (const auto* refusal = std::get_if<Refusal>(&verdict)) {
    put_back(lease, count);
    if (told) give_up(lease);
    if (enough) return *refusal;
    ++books_->tally.unavailable;
    return unavailable(*lease.takes[count].limit);
  }
  admitted.place = running_.add(
      {.lease = std::move(lease), .local = true, .told = told, .shares = std::move(std::get<Grant>(verdict))});
  hurry();
  return admitted;
}

// How many takes there was room for; fewer than all: the next one is refused.
std::size_t Desk::take_budgets(const Lease& lease, Admitted& admitted) {
  const bool open = books_->options.budgets_when_down == config::RedisDown::kOpen;
  const auto now = shared_now(WallTime(milliseconds(0))).time_since_epoch();
  for (std::size_t i = 0; i < lease.takes.size(); ++i) {
    if (!is_budget(lease.takes[i])) continue;
    const Limit& limit = *lease.takes[i].limit;
    const bool observed = limit.mode == Mode::kObserve;
    const auto taken =
        shared(limit).budget().take({.term = lease.terms[i], .most = limit.most, .replicas = books_->replicas()},
                                    amount_of(lease.takes[i]), open || observed);
    if (!taken.within && !open && !observed) return i;
    const bool over = taken.outstanding > limit.most - taken.seen;
    if (observed && over && i < 64) admitted.observed |= std::uint64_t{1} << i;
    admitted.standings[i] = {.used = taken.seen, .reserved = taken.outstanding};
    if (lease.terms[i].until > now.count()) admitted.standings[i].resets_in = milliseconds(lease.terms[i].until) - now;
  }
  return lease.takes.size();
}

void Desk::put_back(const Lease& lease, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_budget(lease.takes[i])) continue;
    shared(*lease.takes[i].limit).budget().change(lease.terms[i], -amount_of(lease.takes[i]));
  }
}

// Of windows and slots; the ledger in memory decides on them together.
Verdict Desk::take_shares(const Lease& lease, WallTime now, Admitted& admitted) {
  std::vector<Take> takes;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < lease.takes.size(); ++i) {
    if (is_budget(lease.takes[i])) continue;
    const Limit& limit = *lease.takes[i].limit;
    const Limit& share = shared(limit).share_of(limit, books_->replicas(), books_->shares);
    takes.push_back({.limit = &share, .amount = lease.takes[i].amount});
    places.push_back(i);
  }
  Verdict verdict = std::move(*books_->shares.admit_now(takes, now));
  if (auto* refusal = std::get_if<Refusal>(&verdict)) {
    refusal->index = places[refusal->index];
    return verdict;
  }
  const Grant& grant = std::get<Grant>(verdict);
  for (std::size_t j = 0; j < places.size(); ++j) {
    admitted.standings[places[j]] = grant.standings()[j];
    if ((grant.observed() >> j & 1) != 0) admitted.observed |= std::uint64_t{1} << places[j];
  }
  return verdict;
}

void Desk::end_shares(Running& running, std::span<const std::int64_t> used) {
  std::vector<std::int64_t> used_of_shares;
  for (std::size_t i = 0; i < running.lease.takes.size(); ++i) {
    if (!is_budget(running.lease.takes[i])) used_of_shares.push_back(used_of(used, i));
  }
  running.shares.settle(used_of_shares);
}

void Desk::settle_local(Running running, std::span<const std::int64_t> used) {
  end_shares(running, used);
  const Lease& lease = running.lease;
  for (std::size_t i = 0; i < lease.takes.size(); ++i) {
    if (!is_budget(lease.takes[i])) continue;
    shared(*lease.takes[i].limit).budget().change(lease.terms[i], used_of(used, i) - amount_of(lease.takes[i]));
  }
  if (running.told) return tell_settled(lease, used, true);
  owe(lease, used);
}

// The debts of a worker count as one that waits.
void Desk::owe(const Lease& lease, std::span<const std::int64_t> used) {
  const bool none = debts_.empty();
  for (std::size_t i = 0; i < lease.takes.size(); ++i) {
    debts_.add({.limit = shared_pointer(*lease.takes[i].limit), .term = lease.terms[i], .amount = used_of(used, i)},
               Clock::now());
  }
  if (none && !debts_.empty()) ++books_->tally.waiting;
  hurry();
}

// A lease that Redis may have heard of is on its books by its amounts: they cannot change any more.
bool Desk::extend(std::size_t place, Money amount) {
  Running& running = running_.at(place);
  Lease& lease = running.lease;
  if (std::ranges::none_of(lease.takes, is_budget)) return true;
  if (!running.local || running.told) return false;
  Lease extension{.id = {}, .takes = lease.takes, .terms = lease.terms};
  for (Take& take : extension.takes) take.amount = amount.nanodollars();
  Admitted admitted{.place = 0, .observed = 0, .standings = std::vector<Standing>(lease.takes.size())};
  if (const std::size_t count = take_budgets(extension, admitted); count < lease.takes.size()) {
    put_back(extension, count);
    return false;
  }
  for (Take& take : lease.takes) {
    if (is_budget(take)) take.amount = (Money::nanodollars(take.amount) + amount).nanodollars();
  }
  return true;
}

}  // namespace sluice::limit
