// Redis is told what was used.

#include <algorithm>
#include <utility>

#include "limit/desk.hpp"

namespace sluice::limit {
namespace {

unsigned reached(const Limit& limit, std::int64_t spent) {
  unsigned highest = 0;
  for (const unsigned percent : limit.alert_percent) {
    if (spent > 0 && static_cast<__int128>(spent) * 100 >= static_cast<__int128>(limit.most) * percent) {
      highest = std::max(highest, percent);
    }
  }
  return highest;
}

}  // namespace

void Desk::tell_settled(const Lease& lease, std::span<const std::int64_t> used, bool outstanding) {
  auto call = books_->calls.settle(lease, used);
  if (!call) return;
  Parcel parcel{.what = Parcel::What::kSettlement, .call = std::move(*call), .outstanding = outstanding};
  if (outstanding || books_->options.on_threshold) {
    for (std::size_t i = 0; i < lease.takes.size(); ++i) {
      const Limit& limit = *lease.takes[i].limit;
      const std::int64_t spent = i < used.size() ? std::max<std::int64_t>(used[i], 0) : 0;
      if (limit.meter != Meter::kMoney || !ScriptCalls::changes_books(lease, i, spent)) continue;
      parcel.budgets.push_back({.limit = shared_pointer(limit), .term = lease.terms[i], .amount = spent});
    }
  }
  send(std::move(parcel));
}

// Nobody will settle it: should Redis have booked it, or do so yet, it takes it back.
void Desk::give_up(const Lease& lease) {
  Lease unknown = lease;
  unknown.booked_at = 0;
  tell_settled(unknown, {}, false);
}

void Desk::send(Parcel parcel) {
  ++books_->tally.waiting;
  courier_.send(std::move(parcel), shared_from_this());
}

// It waits until all that follows from it is done.
void Desk::delivered(const Parcel& parcel, const redis::Reply& reply) {
  switch (parcel.what) {
    case Parcel::What::kSettlement:
      settled(parcel, reply);
      break;
    case Parcel::What::kDebts:
      settled(parcel, reply);
      handed_over();
      break;
    case Parcel::What::kBooking:
      booked(parcel, reply);
      handed_over();
      break;
    case Parcel::What::kClaim:
      tell_thresholds(parcel, reply.is_integer() ? reply.integer : 100);
      break;
  }
  --books_->tally.waiting;
}

void Desk::lost(const Parcel& parcel, Courier::Loss loss, std::string_view why) {
  const bool spend = parcel.what == Parcel::What::kSettlement || parcel.what == Parcel::What::kDebts;
  if (spend || loss == Courier::Loss::kRefused) books_->lost(loss, why);
  if (parcel.outstanding) {
    for (const Spending& budget : parcel.budgets) budget.limit->budget().change(budget.term, -budget.amount);
  }
  if (parcel.what == Parcel::What::kBooking && loss == Courier::Loss::kRefused) {
    if (Running* running = running_.find(parcel.place, parcel.lease)) running_.refused(*running);
  }
  if (parcel.what == Parcel::What::kDebts || parcel.what == Parcel::What::kBooking) handed_over();
  --books_->tally.waiting;
}

void Desk::settled(const Parcel& parcel, const redis::Reply& reply) {
  const auto read = read_settle(reply);
  if (!read) return books_->script_error("a settlement has an answer no script gives");
  ++books_->tally.settled;
  if (read->repeated) ++books_->tally.repeated;
  for (std::size_t i = 0; i < parcel.budgets.size(); ++i) {
    const Spending& budget = parcel.budgets[i];
    if (parcel.outstanding) budget.limit->budget().change(budget.term, -budget.amount);
    if (i >= read->budgets.size()) continue;
    const Standing& standing = read->budgets[i];
    budget.limit->budget().saw(budget.term, standing.used + standing.reserved);
    if (books_->options.on_threshold) claim_threshold(budget, standing.used);
  }
}

void Desk::claim_threshold(const Spending& budget, std::int64_t spent) {
  const unsigned percent = reached(*budget.limit->newest(), spent);
  if (percent == 0 || !budget.limit->raise_told(budget.term, percent)) return;
  send({.what = Parcel::What::kClaim,
        .call = books_->calls.claim(new_lease_id(), *budget.limit, budget.term, percent),
        .budgets = {{.limit = budget.limit, .term = budget.term, .amount = spent}},
        .place = percent});
}

// Of several replicas the one that raised the mark tells.
void Desk::tell_thresholds(const Parcel& claim, std::int64_t told_before) {
  const Spending& budget = claim.budgets.front();
  const auto limit = budget.limit->newest();
  for (const unsigned percent : limit->alert_percent) {
    if (percent <= told_before || percent > claim.place) continue;
    try {
      books_->options.on_threshold(*limit, percent, Money::nanodollars(budget.amount));
    } catch (...) {  // NOLINT: whoever is told must not keep others from being settled
    }
  }
}

}  // namespace sluice::limit
