#include "limit/waiting_list.hpp"

#include <algorithm>

namespace sluice::limit {
namespace {

constexpr unsigned kUnsureEvery = 8;  // so that they have a turn however many slots become free

}  // namespace

bool wants_slot(const Take& take) {
  return take.limit->meter == Meter::kConcurrency && take.limit->mode == Mode::kEnforce;
}

std::vector<const Limit*> slots_of(std::span<const Take> takes) {
  std::vector<const Limit*> slots;
  for (const Take& take : takes) {
    if (wants_slot(take)) slots.push_back(take.limit);
  }
  return slots;
}

void WaitingList::configure(std::size_t most, const Weights& weights) {
  most_ = most;
  weights_ = weights;
}

bool WaitingList::anyone_needs(std::span<const Take> takes) const {
  return std::ranges::any_of(takes, [this](const Take& take) {
    if (!wants_slot(take)) return false;
    const auto found = gates_.find(take.limit->id);
    return found != gates_.end() && found->second.needed > 0;
  });
}

WaitingList::Added WaitingList::add(Entry& entry, const Limit* lacking, TimePoint now) {
  entry.number = ++numbers_;
  for (const Limit* limit : entry.needs) {
    Gate& gate = gates_.try_emplace(limit->id, weights_).first->second;
    ++gate.needed;
    entry.gates_.push_back(&gate);
  }
  if (lacking != nullptr) open_but(entry, entry.gates_[place_of(entry, *lacking)]);
  entry.at_ = place_for(entry, lacking);
  Gate& gate = gate_of(entry);
  gate.queue.insert(entry, now);
  Added added{.wait = gate.queue.expected_wait(entry, now)};
  Entry* const evicted = size_ >= most_ ? to_evict(entry.priority) : nullptr;
  if (added.wait && *added.wait > entry.due - now && gate.queue.before(entry) > 0) {
    added.answer = Answer::kLate;
  } else if (size_ >= most_ && evicted == nullptr) {
    added.answer = Answer::kFull;
  }
  if (added.answer != Answer::kWaits) {
    gate.queue.remove(entry, now);
    forget_needs(entry);
    return added;
  }
  if (evicted != nullptr) {
    added.evicted = evicted;
    added.evicted_wait = expected_wait(*evicted, now);
    remove(*evicted, now);
  }
  ++size_;
  ++queued_[static_cast<std::size_t>(entry.priority)];
  set_enrolled(entry, true);
  set_turns(gate);
  return added;
}

std::size_t WaitingList::place_of(const Entry& entry, const Limit& limit) {
  const auto found = std::ranges::find(entry.needs, &limit);
  return found == entry.needs.end() ? entry.at_ : static_cast<std::size_t>(found - entry.needs.begin());
}

// At what is known to be full, else at what others wait for.
std::size_t WaitingList::place_for(const Entry& entry, const Limit* lacking) const {
  if (const auto shut = shut_before(entry)) return *shut;
  if (lacking != nullptr) return place_of(entry, *lacking);
  std::size_t best = 0;
  for (std::size_t i = 1; i < entry.needs.size(); ++i) {
    const auto weight = [&](std::size_t n) {
      return std::pair(entry.gates_[n]->queue.size(), entry.gates_[n]->needed);
    };
    if (weight(i) > weight(best)) best = i;
  }
  return best;
}

std::optional<std::size_t> WaitingList::shut_before(const Entry& entry) const {
  const auto shut = std::ranges::find_if(entry.gates_, [](const Gate* gate) { return gate->shut; });
  if (shut == entry.gates_.end()) return std::nullopt;
  return static_cast<std::size_t>(shut - entry.gates_.begin());
}

WaitingList::Entry* WaitingList::to_evict(Priority newcomer) const {
  for (std::size_t i = kPriorities - 1; i > static_cast<std::size_t>(newcomer); --i) {
    if (queued_[i] == 0) continue;
    if (auto* found = rolls_[i].newest_of_most()) return static_cast<Entry*>(found);
  }
  return nullptr;
}

void WaitingList::remove(Entry& entry, TimePoint now) {
  Gate& gate = gate_of(entry);
  gate.queue.remove(entry, now);
  set_turns(gate);
  leave(entry);
}

void WaitingList::leave(Entry& entry) {
  if (!std::exchange(entry.tried_, false)) set_enrolled(entry, false);
  --size_;
  --queued_[static_cast<std::size_t>(entry.priority)];
  forget_needs(entry);
}

// What is known of a limit holds only as long as somebody who needs it is here to be told of a free slot.
void WaitingList::forget_needs(Entry& entry) {
  for (Gate* gate : entry.gates_) {
    if (--gate->needed == 0) gate->shut = false;
  }
  entry.gates_.clear();
}

WaitingList::Wait WaitingList::expected_wait(const Entry& entry, TimePoint now) const {
  return gate_of(entry).queue.expected_wait(entry, now);
}

WaitingList::Entry* WaitingList::next(TimePoint now) {
  while (!sure_.empty() || !unsure_.empty()) {
    const bool unsure = sure_.empty() || (!unsure_.empty() && ++picks_ % kUnsureEvery == 0);
    Gate& gate = *(unsure ? unsure_ : sure_).front();
    auto& entry = static_cast<Entry&>(*gate.queue.first());
    if (const auto shut = shut_before(entry)) {
      move(entry, *shut, now);
      continue;
    }
    gate.queue.take(entry);
    set_turns(gate);
    set_enrolled(entry, false);
    entry.tried_ = true;
    entry.began_ = openings_;
    return &entry;
  }
  return nullptr;
}

void WaitingList::move(Entry& entry, std::size_t to, TimePoint now) {
  Gate& from = gate_of(entry);
  from.queue.remove(entry, now);
  set_turns(from);
  entry.at_ = to;
  Gate& gate = gate_of(entry);
  gate.queue.insert(entry, now);
  set_turns(gate);
}

void WaitingList::refused(Entry& entry, const Limit& lacking, TimePoint now) {
  const std::size_t at = place_of(entry, lacking);
  Gate& full = *entry.gates_[at];
  // A slot that became free during the try may have come too late for it.
  if (full.opened <= entry.began_) full.shut = true;
  open_but(entry, &full);
  entry.tried_ = false;
  set_enrolled(entry, true);
  if (at != entry.at_) return move(entry, at, now);
  full.queue.put_back(entry);
  set_turns(full);
}

void WaitingList::refused_otherwise(Entry& entry, TimePoint now) {
  open_but(entry, nullptr);
  remove(entry, now);
}

void WaitingList::open_but(const Entry& entry, const Gate* full) {
  for (Gate* gate : entry.gates_) {
    if (gate != full) open(*gate, sure_);
  }
}

void WaitingList::granted(Entry& entry, TimePoint now) {
  Gate& gate = gate_of(entry);
  gate.queue.admitted(entry, ++numbers_, now);
  set_turns(gate);
  leave(entry);
}

void WaitingList::open(std::string_view limit) {
  if (const auto found = gates_.find(limit); found != gates_.end()) open(found->second, sure_);
}

void WaitingList::open_all(Sure sure) {
  for (auto& [id, gate] : gates_) open(gate, sure == Sure::kYes ? sure_ : unsure_);
}

void WaitingList::open(Gate& gate, Turns& turns) {
  gate.shut = false;
  gate.opened = ++openings_;
  if (gate.turns == &unsure_ && &turns == &sure_) {
    sure_.splice(sure_.end(), unsure_, gate.place);
    gate.turns = &sure_;
  }
  set_turns(gate, turns);
}

// Puts a gate at the end of `turns` if somebody there can be tried, and takes it out if not. It keeps the place it has.
void WaitingList::set_turns(Gate& gate, Turns& turns) {
  const bool wanted = !gate.shut && gate.queue.first() != nullptr;
  if (wanted && gate.turns == nullptr) {
    gate.place = turns.insert(turns.end(), &gate);
    gate.turns = &turns;
  } else if (!wanted && gate.turns != nullptr) {
    gate.turns->erase(gate.place);
    gate.turns = nullptr;
  }
}

void WaitingList::set_enrolled(Entry& entry, bool enrolled) {
  Roll& roll = rolls_[static_cast<std::size_t>(entry.priority)];
  if (enrolled) {
    roll.add(entry);
  } else {
    roll.remove(entry);
  }
}

void WaitingList::forget_idle(TimePoint now) {
  std::erase_if(gates_, [now](const auto& one) { return one.second.needed == 0 && one.second.queue.forgotten(now); });
}

}  // namespace sluice::limit
