#pragma once
// Everybody who waits for slots of concurrency, and who is to be tried next. Each limit has a fair queue of its own and
// a gate before it. One whose try was refused stands in the queue of the limit that was full, whose gate is then shut:
// whoever needs that limit is not tried again until a slot of it may have become free. So one limit that is full holds
// up nobody who does not need it, and a free slot costs two tries, one that is granted and one that is refused, however
// many wait. The list as a whole is bounded.
// Pure: no thread, no clock. Everything is O(log n) but for expected waits; a move to another queue is counted with the
// opening that made it necessary.

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "limit/fair_queue.hpp"
#include "limit/roll.hpp"
#include "sluice/limit/ledger.hpp"

namespace sluice::limit {

// Whether its limit can be short of slots: of concurrency, and enforced.
bool wants_slot(const Take& take);
std::vector<const Limit*> slots_of(std::span<const Take> takes);

class WaitingList {
  struct Gate;

 public:
  using Wait = std::optional<std::chrono::nanoseconds>;  // nothing: nobody knows

  struct Entry : FairQueue::Entry {
    // `needs` are at least one; they outlive the entry's stay.
    Entry(Priority of, std::string owner, std::vector<const Limit*> slots)
        : FairQueue::Entry(of, std::move(owner)), needs(std::move(slots)) {}
    const std::vector<const Limit*> needs;
    TimePoint due = kNever;

    bool listed() const { return !gates_.empty(); }
    const Limit& waits_for() const { return *needs[at_]; }  // the one it stands at

   private:
    friend class WaitingList;
    std::vector<Gate*> gates_;  // one per need
    std::size_t at_ = 0;
    std::uint64_t began_ = 0;  // the openings there had been when its try began
    bool tried_ = false;       // its try is under way
  };

  enum class Answer : std::uint8_t { kWaits, kFull, kLate };  // kLate: it could not start before it is due
  struct Added {
    Answer answer = Answer::kWaits;
    Wait wait{};               // as expected on arrival
    Entry* evicted = nullptr;  // was removed to make room
    Wait evicted_wait{};       // what it still had before it
  };

  WaitingList(std::size_t most, const Weights& weights) : most_(most), weights_(weights) {}
  WaitingList(const WaitingList&) = delete;
  WaitingList& operator=(const WaitingList&) = delete;
  void configure(std::size_t most, const Weights& weights);  // whoever waits already stays

  std::size_t size() const { return size_; }
  const std::array<std::size_t, kPriorities>& queued() const { return queued_; }
  // Whether somebody waits who needs one of these, so that a newcomer must wait, too.
  bool anyone_needs(std::span<const Take> takes) const;

  // A newcomer, who was refused a slot of `lacking` (null: was not tried). A full list makes room for a higher class:
  // the newest entry of the key that has most waiting, in the lowest class. One that is due is never refused for that
  // if nobody is before it: somebody must find out how fast slots become free now.
  Added add(Entry& entry, const Limit* lacking, TimePoint now);
  void remove(Entry& entry, TimePoint now);  // whatever it does; listed() is true
  Wait expected_wait(const Entry& entry, TimePoint now) const;

  // Whose turn it is, to be tried: ends with one of the three below, or with remove(). Null: nobody's, until a gate is
  // opened or somebody comes. A try that is refused may have held slots of other limits for a moment, so that another
  // one was refused wrongly: those gates are opened.
  Entry* next(TimePoint now);
  void granted(Entry& entry, TimePoint now);
  void refused(Entry& entry, const Limit& lacking, TimePoint now);
  void refused_otherwise(Entry& entry, TimePoint now);  // for another reason than a slot: it goes

  // Slots of that limit, or of any, may be free. What is known to be free is tried before what only may be.
  enum class Sure : bool { kNo, kYes };
  void open(std::string_view limit);
  void open_all(Sure sure);
  void forget_idle(TimePoint now);  // queues that nobody waited in for long

 private:
  using Turns = std::list<Gate*>;
  struct Gate {
    explicit Gate(const Weights& weights) : queue(weights) {}
    FairQueue queue;
    std::size_t needed = 0;    // entries that need the limit, wherever they stand
    bool shut = false;         // known to be full
    std::uint64_t opened = 0;  // openings_ when it was opened last
    Turns* turns = nullptr;    // the list it stands in, if any
    Turns::iterator place;     // there
  };

  Gate& gate_of(const Entry& entry) const { return *entry.gates_[entry.at_]; }
  static std::size_t place_of(const Entry& entry, const Limit& limit);
  std::size_t place_for(const Entry& entry, const Limit* lacking) const;
  std::optional<std::size_t> shut_before(const Entry& entry) const;
  Entry* to_evict(Priority newcomer) const;
  void move(Entry& entry, std::size_t to, TimePoint now);
  void open(Gate& gate, Turns& turns);
  void open_but(const Entry& entry, const Gate* full);
  void set_turns(Gate& gate, Turns& turns);
  void set_turns(Gate& gate) { set_turns(gate, sure_); }
  void leave(Entry& entry);
  void forget_needs(Entry& entry);
  void set_enrolled(Entry& entry, bool enrolled);

  std::size_t most_;
  Weights weights_;
  TextMap<Gate> gates_;  // by the limit's id
  // Gates that are not shut and have somebody to be tried. The first is worked off before the next, so that nobody who
  // comes later is tried before those for whom it was opened.
  Turns sure_, unsure_;
  std::array<Roll, kPriorities> rolls_;  // of those that may be evicted: not being tried
  std::array<std::size_t, kPriorities> queued_{};
  std::size_t size_ = 0;
  std::uint64_t numbers_ = 0;   // of entries, and of turns of keys
  std::uint64_t openings_ = 0;  // of gates
  unsigned picks_ = 0;
};

}  // namespace sluice::limit
