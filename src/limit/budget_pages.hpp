#pragma once
// The pages of one budget: what was spent and is reserved of it, one page per calendar period. What was reserved in a
// period is settled on that period's page, however late; new takes go to the newest page. Without locks.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include "limit/calendar.hpp"
#include "sluice/limit/ledger.hpp"

namespace sluice::limit {

struct BudgetPage {
  // Who relies on the page: its open takes, whoever looks at it just now and, of the newest page, the budget itself.
  // A page nobody relies on may become that of another period; this is negative meanwhile.
  std::atomic<std::int64_t> holders{0};
  // Spent and reserved together, so that one step decides on a take and one settles it.
  std::atomic<std::int64_t> held{0};
  std::atomic<std::int64_t> spent{0};     // raised before `held` is lowered
  std::atomic<std::int64_t> orphaned{0};  // the part of `held` that was reserved by a process that has died
  std::atomic<unsigned> alerted{0};       // the highest threshold told
  std::atomic<bool> changed{false};       // since it was last collected; such a page is kept
  // These stay as they are while anybody holds the page.
  std::chrono::sys_seconds begins{};
  std::chrono::sys_seconds ends{};
  std::chrono::sys_seconds orphaned_until{};
  BudgetPage* next = nullptr;
};

// How a period begins.
struct Opening {
  std::chrono::sys_seconds begins{};
  std::chrono::sys_seconds ends{};
  std::int64_t spent = 0;
  std::int64_t orphaned = 0;
  std::chrono::sys_seconds orphaned_until{};
  unsigned alerted = 0;
};

class BudgetPages {
 public:
  struct Release {
    void operator()(BudgetPage* page) const { release(*page); }
  };
  using Held = std::unique_ptr<BudgetPage, Release>;

  BudgetPages();
  ~BudgetPages();
  BudgetPages(const BudgetPages&) = delete;
  BudgetPages& operator=(const BudgetPages&) = delete;

  // The page for a take at `now`, held. Should the clock go back over the end of a period, takes stay in the later
  // one. May allocate when a period begins; throws before anything has changed.
  BudgetPage& hold(Period period, WallTime now);
  // The newest page, whatever its period, held.
  BudgetPage& hold_newest();
  static void release(BudgetPage& page) { page.holders.fetch_sub(1); }
  // Begins a period after that of `newest`, which the caller holds. False: another thread was faster, with its own.
  bool begin(BudgetPage& newest, const Opening& opening);

  // Calls visit(page) for each page that has changed, held. One thread at a time.
  template <class Visit>
  void for_changed(Visit visit);
  // Nobody holds a page.
  bool unheld() const;
  std::size_t count() const;

 private:
  static constexpr std::int64_t kClosed = std::int64_t{1} << 62;

  static bool try_close(BudgetPage& page);
  BudgetPage& closed_page();

  std::array<BudgetPage, 2> first_;  // enough unless a take stays open over two ends of a period
  std::atomic<BudgetPage*> pages_;   // only grows
  std::atomic<BudgetPage*> newest_;
};

template <class Visit>
void BudgetPages::for_changed(Visit visit) {
  for (BudgetPage* page = pages_.load(); page != nullptr; page = page->next) {
    // Nobody makes it another page as long as it counts as changed, and no longer once it is held.
    if (!page->changed.load()) continue;
    page->holders.fetch_add(1);
    const Held held(page);
    if (!page->changed.exchange(false)) continue;
    try {
      visit(*page);
    } catch (...) {
      page->changed.store(true);
      throw;
    }
  }
}

}  // namespace sluice::limit
