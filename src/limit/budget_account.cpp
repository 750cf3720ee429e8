#include "limit/budget_account.hpp"

#include <algorithm>
#include <limits>

namespace sluice::limit {
namespace {

// Where sums end: absurd usage closes a budget, it does not wrap around.
constexpr std::int64_t kFull = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMostAtOnce = kFull / 4;

std::int64_t countable(std::int64_t amount) { return std::clamp<std::int64_t>(amount, 0, kMostAtOnce); }

// Returns the new sum.
std::int64_t add(std::atomic<std::int64_t>& sum, std::int64_t amount) {
  std::int64_t old = sum.load();
  std::int64_t next = 0;
  do {
    if (__builtin_add_overflow(old, amount, &next)) next = kFull;
  } while (!sum.compare_exchange_weak(old, next));
  return next;
}

BudgetPage& page_at(std::int64_t place) { return *std::bit_cast<BudgetPage*>(place); }

milliseconds until(std::chrono::sys_seconds when, WallTime now) { return std::max(when - now, milliseconds(0)); }

// Of the page only: how it ends is the caller's affair.
Standing standing_on(const BudgetPage& page) {
  const std::int64_t spent = page.spent.load();
  const std::int64_t held = page.held.load();
  return {.used = spent, .reserved = std::max<std::int64_t>(held - spent, 0), .resets_in = {}};
}

milliseconds resets_in(std::chrono::sys_seconds ends, WallTime now) {
  return ends == kNoEnd ? milliseconds(0) : until(ends, now);
}

// What others have reserved may come back sooner, but nobody knows when.
std::optional<milliseconds> wait(const Limit& limit, const BudgetPage& page, std::int64_t amount, WallTime now) {
  if (amount > limit.most) return std::nullopt;
  const std::int64_t orphaned = page.orphaned.load();
  const bool orphans_decide = orphaned > 0 && page.held.load() - orphaned <= limit.most - amount;
  const auto when = orphans_decide ? std::min(page.orphaned_until, page.ends) : page.ends;
  if (when == kNoEnd) return std::nullopt;
  return until(when, now);
}

bool reached(const Limit& limit, unsigned percent, std::int64_t spent) {
  return spent > 0 && static_cast<__int128>(spent) * 100 >= static_cast<__int128>(limit.most) * percent;
}

// Each threshold once: whoever raises the mark tells those it has passed.
void tell(const Limit& limit, BudgetPage& page, std::int64_t spent, const OnThreshold& on_threshold) {
  unsigned told = page.alerted.load();
  unsigned highest = 0;
  for (const unsigned percent : limit.alert_percent) {
    if (reached(limit, percent, spent)) highest = std::max(highest, percent);
  }
  do {
    if (highest <= told) return;
  } while (!page.alerted.compare_exchange_weak(told, highest));
  for (const unsigned percent : limit.alert_percent) {
    if (percent > told && percent <= highest) on_threshold(limit, percent, Money::nanodollars(spent));
  }
}

}  // namespace

std::expected<Booking, Refusal> BudgetAccount::take(const Limit& limit, std::int64_t amount, const Moment& now) {
  BudgetPage& page = pages_.hold(period_, now.wall);
  free_orphans(page, now.wall);
  auto booking = reserve(page, limit, amount);
  if (!booking) {
    Refusal refusal{.index = 0, .retry_after = wait(limit, page, amount, now.wall), .used = page.held.load()};
    BudgetPages::release(page);
    return std::unexpected(refusal);
  }
  booking->standing.resets_in = resets_in(page.ends, now.wall);
  return *booking;
}

std::optional<Booking> BudgetAccount::extend(const Limit& limit, std::int64_t amount, std::int64_t place) {
  return reserve(page_at(place), limit, amount);
}

void BudgetAccount::shorten(std::int64_t amount, std::int64_t place) noexcept {
  add(page_at(place).held, -amount);
  mark_changed(page_at(place));
}

void BudgetAccount::settle(const Closing& end) noexcept {
  BudgetPage& page = page_at(end.place);
  const std::int64_t used = countable(end.used);
  if (used > 0) {
    const std::int64_t spent = add(page.spent, used);
    try {
      if (end.options.on_threshold) tell(*end.take.limit, page, spent, end.options.on_threshold);
    } catch (...) {  // NOLINT: whoever is told must not keep a request from being settled
    }
  }
  if (used != end.take.amount) add(page.held, used - end.take.amount);
  mark_changed(page);
  BudgetPages::release(page);
}

Standing BudgetAccount::standing(const Limit& /*limit*/, const Moment& now) {
  BudgetPage& page = pages_.hold_newest();
  free_orphans(page, now.wall);
  const bool over = now.wall >= page.ends;
  Standing standing = over ? Standing{} : standing_on(page);
  standing.resets_in = resets_in(over ? period_end(period_, now.wall) : page.ends, now.wall);
  BudgetPages::release(page);
  return standing;
}

bool BudgetAccount::idle(const Moment& now) {
  if (listed_.load() || collecting_.load() || !pages_.unheld()) return false;
  BudgetPage& page = pages_.hold_newest();
  free_orphans(page, now.wall);
  const bool over = now.wall >= page.ends || page.held.load() == 0;
  BudgetPages::release(page);
  return over && !listed_.load();
}

void BudgetAccount::restore(const BudgetRow& row) {
  const std::int64_t spent = countable(row.spent.nanodollars());
  const Opening opening{.begins = row.period,
                        .ends = period_end(period_, row.period),
                        .spent = spent,
                        .orphaned = countable(row.reserved.nanodollars()),
                        .orphaned_until = row.held_until,
                        .alerted = row.alerted_percent};
  for (bool done = false; !done;) {
    BudgetPage& page = pages_.hold_newest();
    done = page.begins >= row.period || pages_.begin(page, opening);
    if (page.begins == row.period) {
      add(page.spent, spent);
      add(page.held, spent);
      mark_changed(page);
    }
    BudgetPages::release(page);
  }
}

std::optional<Booking> BudgetAccount::reserve(BudgetPage& page, const Limit& limit, std::int64_t amount) {
  amount = countable(amount);
  std::int64_t held = page.held.load();
  bool over = false;
  do {
    over = amount > std::max<std::int64_t>(limit.most, 0) - held;
    if (over && limit.mode == Mode::kEnforce) return std::nullopt;
    amount = std::min(amount, kFull - held);
  } while (!page.held.compare_exchange_weak(held, held + amount));
  mark_changed(page);
  return Booking{
      .amount = amount, .place = std::bit_cast<std::int64_t>(&page), .standing = standing_on(page), .over = over};
}

void BudgetAccount::free_orphans(BudgetPage& page, WallTime now) {
  if (page.orphaned.load() == 0 || now < page.orphaned_until) return;
  add(page.held, -page.orphaned.exchange(0));
  mark_changed(page);
}

// Sequentially consistent: if a flag is seen set here, whoever clears it reads what has been changed before.
void BudgetAccount::mark_changed(BudgetPage& page) noexcept {
  if (changed_ == nullptr) return;
  if (!page.changed.load()) page.changed.store(true);
  if (!listed_.load() && !listed_.exchange(true)) changed_->add(*this);
}

void ChangedBudgets::add(BudgetAccount& account) {
  account.next_changed_ = newest_.load();
  while (!newest_.compare_exchange_weak(account.next_changed_, &account)) {
  }
}

// Should memory run out, the rest is listed again and collected the next time.
void ChangedBudgets::collect(std::vector<BudgetRow>& rows, WallTime now, std::chrono::seconds lease) noexcept {
  BudgetAccount* account = newest_.exchange(nullptr);
  BudgetAccount* next = nullptr;
  try {
    for (; account != nullptr; account = next) {
      next = account->next_changed_;
      account->collect(rows, std::chrono::floor<std::chrono::seconds>(now) + lease);
    }
  } catch (...) {
    for (; next != nullptr; next = account) {
      account = next->next_changed_;
      add(*next);
    }
  }
}

// Once `listed_` is false others may list it again, and link it elsewhere.
void BudgetAccount::collect(std::vector<BudgetRow>& rows, std::chrono::sys_seconds held_until) {
  collecting_.store(true);
  listed_.store(false);
  try {
    pages_.for_changed([&](BudgetPage& page) {
      const Standing standing = standing_on(page);
      rows.push_back({.id = id(),
                      .period = page.begins,
                      .spent = Money::nanodollars(standing.used),
                      .reserved = Money::nanodollars(standing.reserved),
                      .held_until = held_until,
                      .alerted_percent = page.alerted.load()});
    });
  } catch (...) {
    if (!listed_.exchange(true)) changed_->add(*this);
    collecting_.store(false);
    throw;
  }
  collecting_.store(false);
}

}  // namespace sluice::limit
