#include "limit/budget_pages.hpp"

#include <utility>

namespace sluice::limit {
// The first page stands for a period before all others.
BudgetPages::BudgetPages() : pages_(&first_[0]), newest_(&first_[0]) {
  first_[0].holders.store(1);
  first_[0].begins = first_[0].ends = std::chrono::ceil<std::chrono::seconds>(WallTime::min());
  first_[0].next = &first_[1];
}

BudgetPages::~BudgetPages() {
  for (BudgetPage* page = pages_.load(); page != &first_[0];) {
    delete std::exchange(page, page->next);
  }
}

BudgetPage& BudgetPages::hold(Period period, WallTime now) {
  for (;;) {
    Held page(&hold_newest());
    if (now < page->ends) return *page.release();
    begin(*page, {.begins = period_start(period, now), .ends = period_end(period, now)});
  }
}

// Held before it is certain that it is the newest: only then it cannot be made another any more.
BudgetPage& BudgetPages::hold_newest() {
  for (;;) {
    BudgetPage* page = newest_.load();
    page->holders.fetch_add(1);
    if (newest_.load() == page) return *page;
    release(*page);
  }
}

// The newest page is always held by the budget, so it is never closed; the caller's hold on `newest` sees to it that
// its place in memory is not that of a newer page by now.
bool BudgetPages::begin(BudgetPage& newest, const Opening& opening) {
  BudgetPage& page = closed_page();
  page.begins = opening.begins;
  page.ends = opening.ends;
  page.orphaned_until = opening.orphaned_until;
  page.spent.store(opening.spent);
  page.orphaned.store(opening.orphaned);
  page.held.store(opening.spent + opening.orphaned);
  page.alerted.store(opening.alerted);
  page.holders.fetch_add(kClosed + 1);
  BudgetPage* expected = &newest;
  const bool first = newest_.compare_exchange_strong(expected, &page);
  release(first ? newest : page);
  return first;
}

// Asked twice whether it has changed: its last holder may have done so after the first.
bool BudgetPages::try_close(BudgetPage& page) {
  std::int64_t nobody = 0;
  if (page.changed.load() || !page.holders.compare_exchange_strong(nobody, -kClosed)) return false;
  if (!page.changed.load()) return true;
  page.holders.fetch_add(kClosed);
  return false;
}

BudgetPage& BudgetPages::closed_page() {
  for (BudgetPage* page = pages_.load(); page != nullptr; page = page->next) {
    if (try_close(*page)) return *page;
  }
  auto* page = new BudgetPage;
  page->holders.store(-kClosed);
  page->next = pages_.load();
  while (!pages_.compare_exchange_weak(page->next, page)) {
  }
  return *page;
}

bool BudgetPages::unheld() const {
  for (const BudgetPage* page = pages_.load(); page != nullptr; page = page->next) {
    if (page->holders.load() != (page == newest_.load() ? 1 : 0)) return false;
  }
  return true;
}

std::size_t BudgetPages::count() const {
  std::size_t count = 0;
  for (const BudgetPage* page = pages_.load(); page != nullptr; page = page->next) ++count;
  return count;
}

}  // namespace sluice::limit
