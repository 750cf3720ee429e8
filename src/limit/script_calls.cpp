#include "limit/script_calls.hpp"

#include <algorithm>
#include <array>

#include "limit/redis_scripts.hpp"
#include "limit/sliding_window.hpp"

namespace sluice::limit {
namespace {

// "2027-01-30", or "all": how a budget's keys end.
class TermName {
 public:
  explicit TermName(const Term& term) {
    if (term == Term{}) return;
    const auto day = std::chrono::floor<std::chrono::days>(WallTime(milliseconds(term.from)));
    const std::chrono::year_month_day date(day);
    size_ = 0;
    put(static_cast<unsigned>(static_cast<int>(date.year())), 4);
    text_[size_++] = '-';
    put(static_cast<unsigned>(date.month()), 2);
    text_[size_++] = '-';
    put(static_cast<unsigned>(date.day()), 2);
  }
  std::string_view text() const { return {text_.data(), size_}; }

 private:
  void put(unsigned number, std::size_t digits) {
    for (std::size_t i = digits; i > 0; --i, number /= 10) text_[size_ + i - 1] = static_cast<char>('0' + number % 10);
    size_ += digits;
  }

  std::array<char, 10> text_{'a', 'l', 'l'};
  std::size_t size_ = 3;
};

std::int64_t countable(std::int64_t amount) { return std::max<std::int64_t>(amount, 0); }

std::int64_t most_of(const Limit& limit) {
  return kind_of(limit.meter) == Kind::kWindow ? std::clamp<std::int64_t>(limit.most, 0, SlidingWindow::kMost)
                                               : countable(limit.most);
}

std::string_view letter_of(Kind kind, Mode mode) {
  switch (kind) {
    case Kind::kWindow:
      return mode == Mode::kEnforce ? "r" : "R";
    case Kind::kSlots:
      return mode == Mode::kEnforce ? "s" : "S";
    case Kind::kBudget:
      break;
  }
  return mode == Mode::kEnforce ? "b" : "B";
}
std::string_view letter_of(Kind kind) { return letter_of(kind, Mode::kEnforce); }

void add_keys(Texts& keys, const SharedLimit& limit, const Term& term) {
  if (limit.kind() != Kind::kBudget) return keys.add(limit.key());
  const TermName name(term);
  keys.add({limit.key(), name.text()});
  keys.add({limit.holds_key(), name.text()});
}

void add_span(Texts& args, const SharedLimit& limit, const Term& term) {
  args.add(limit.kind() == Kind::kWindow ? limit.window().count() : term.from);
  args.add(term.until);
}

// Which member of its sorted set a take is.
void add_member(Texts& args, const Lease& lease, std::size_t place) {
  std::string member = lease.id;
  append_number(member += ':', place);
  const Take& take = lease.takes[place];
  if (kind_of(take.limit->meter) == Kind::kBudget) append_number(member += ':', countable(take.amount));
  args.add(member);
}

}  // namespace

ScriptCall ScriptCalls::begin(const redis::Script& script, std::size_t takes) const {
  ScriptCall call{.script = &script, .keys = {}, .args = {}};
  call.keys.reserve(2 * takes + 1, 64 * (takes + 1));
  call.args.reserve(5 * takes + 5, 48 * (takes + 2));
  if (settings_.clock) {
    call.args.add(settings_.clock().time_since_epoch().count());
  } else {
    call.args.add("");
  }
  return call;
}

void ScriptCalls::add_mark(ScriptCall& call, const std::string& id) const { call.keys.add({settings_.tag, "i:", id}); }

ScriptCall ScriptCalls::admit(const Lease& lease, How how) const {
  ScriptCall call = begin(redis_scripts().admit, lease.takes.size());
  add_mark(call, lease.id);
  call.args.add(lease.id);
  call.args.add(settings_.lease.count());
  call.args.add(settings_.remembered.count());
  call.args.add(how == How::kGoesOn ? "1" : "0");
  for (std::size_t i = 0; i < lease.takes.size(); ++i) {
    const Limit& limit = *lease.takes[i].limit;
    const SharedLimit& state = shared(limit);
    add_keys(call.keys, state, lease.terms[i]);
    call.args.add(letter_of(state.kind(), limit.mode));
    call.args.add(countable(lease.takes[i].amount));
    call.args.add(most_of(limit));
    add_span(call.args, state, lease.terms[i]);
  }
  return call;
}

std::optional<ScriptCall> ScriptCalls::settle(const Lease& lease, std::span<const std::int64_t> used) const {
  ScriptCall call = begin(redis_scripts().settle, lease.takes.size());
  add_mark(call, lease.id);
  call.args.add(settings_.remembered.count());
  call.args.add(lease.booked_at);
  const std::size_t head = call.args.size();
  for (std::size_t i = 0; i < lease.takes.size(); ++i) {
    const SharedLimit& state = shared(*lease.takes[i].limit);
    const std::int64_t taken = countable(lease.takes[i].amount);
    const std::int64_t spent = i < used.size() ? countable(used[i]) : 0;
    if (!changes_books(lease, i, spent)) continue;
    add_keys(call.keys, state, lease.terms[i]);
    call.args.add(letter_of(state.kind()));
    call.args.add(spent);
    call.args.add(taken);
    if (state.kind() == Kind::kWindow) {
      call.args.add(state.window().count());
    } else {
      add_member(call.args, lease, i);
    }
    call.args.add(lease.terms[i].until);
  }
  if (call.args.size() == head && lease.booked_at != 0) return std::nullopt;
  return call;
}

ScriptCall ScriptCalls::spend(const std::string& id, std::span<const Spending> spent) const {
  ScriptCall call = begin(redis_scripts().settle, spent.size());
  add_mark(call, id);
  call.args.add(settings_.remembered.count());
  call.args.add(0);
  for (const Spending& spending : spent) {
    add_keys(call.keys, *spending.limit, spending.term);
    call.args.add(letter_of(spending.limit->kind()));
    call.args.add(countable(spending.amount));
    call.args.add(0);
    if (spending.limit->kind() == Kind::kWindow) {
      call.args.add(spending.limit->window().count());
    } else {
      call.args.add("");
    }
    call.args.add(spending.term.until);
  }
  return call;
}

ScriptCall ScriptCalls::renew(const std::string& replica, std::span<const Hold> holds) const {
  ScriptCall call = begin(redis_scripts().renew, holds.size());
  call.keys.add(replicas_key());
  call.args.add(replica);
  call.args.add(settings_.lease.count());
  for (const Hold& hold : holds) {
    const SharedLimit& state = shared(*hold.lease->takes[hold.place].limit);
    if (state.kind() == Kind::kBudget) {
      call.keys.add({state.holds_key(), TermName(hold.lease->terms[hold.place]).text()});
    } else {
      call.keys.add(state.key());
    }
    call.args.add(letter_of(state.kind()));
    add_member(call.args, *hold.lease, hold.place);
  }
  return call;
}

ScriptCall ScriptCalls::look(std::span<const Limit* const> limits, std::span<const Term> terms) const {
  ScriptCall call = begin(redis_scripts().look, limits.size());
  for (std::size_t i = 0; i < limits.size(); ++i) {
    const SharedLimit& state = shared(*limits[i]);
    add_keys(call.keys, state, terms[i]);
    call.args.add(letter_of(state.kind()));
    add_span(call.args, state, terms[i]);
  }
  return call;
}

ScriptCall ScriptCalls::claim(const std::string& id, const SharedLimit& budget, const Term& term,
                              unsigned percent) const {
  ScriptCall call = begin(redis_scripts().claim, 1);
  add_mark(call, id);
  call.keys.add({budget.key(), TermName(term).text()});
  call.args.add(settings_.remembered.count());
  call.args.add(percent);
  return call;
}

bool ScriptCalls::changes_books(const Lease& lease, std::size_t place, std::int64_t used) {
  const Take& take = lease.takes[place];
  if (lease.booked_at == 0) return true;
  if (kind_of(take.limit->meter) == Kind::kWindow) return countable(take.amount) != countable(used);
  return take.amount > 0 || (kind_of(take.limit->meter) == Kind::kBudget && used > 0);
}

bool ScriptCalls::holds_something(const Take& take) {
  return take.amount > 0 && kind_of(take.limit->meter) != Kind::kWindow;
}

}  // namespace sluice::limit
