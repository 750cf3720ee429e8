#pragma once
// What the grants of one worker hold. A grant knows its place here.

#include <cstdint>
#include <vector>

#include "limit/lease.hpp"

namespace sluice::limit {

struct Running {
  Lease lease{};
  bool local = false;    // granted without Redis, and not booked there yet
  bool told = false;     // local: Redis may have heard of the lease
  bool refused = false;  // local: Redis will not book it
  Grant shares{};        // local: of windows and slots
};

// Belongs to one worker.
class RunningGrants {
 public:
  std::size_t add(Running running) {
    local_ += running.local ? 1U : 0U;
    if (free_.empty()) {
      free_.reserve(places_.size() + 1);
      places_.push_back(std::move(running));
      return places_.size() - 1;
    }
    const std::size_t place = free_.back();
    places_[place] = std::move(running);
    free_.pop_back();
    return place;
  }
  Running take_out(std::size_t place) {
    Running running = std::move(places_[place]);
    places_[place] = Running{};
    free_.push_back(place);
    local_ -= to_be_booked(running) ? 1U : 0U;
    return running;
  }
  Running& at(std::size_t place) { return places_[place]; }
  // The grant whose lease it is, unless it has ended.
  Running* find(std::size_t place, const std::string& lease) {
    return place < places_.size() && places_[place].lease.id == lease ? &places_[place] : nullptr;
  }
  void booked(Running& running, std::int64_t at) {
    local_ -= to_be_booked(running) ? 1U : 0U;
    running.local = running.told = false;
    running.lease.booked_at = at;
  }
  void refused(Running& running) {
    local_ -= to_be_booked(running) ? 1U : 0U;
    running.refused = true;
  }
  static bool to_be_booked(const Running& running) { return running.local && !running.refused; }
  // How many are to be booked.
  std::size_t local() const { return local_; }
  std::size_t size() const { return places_.size() - free_.size(); }

  template <class Visit>
  void for_each(Visit visit) {
    for (std::size_t place = 0; place < places_.size(); ++place) {
      if (!places_[place].lease.id.empty()) visit(place, places_[place]);
    }
  }

 private:
  std::vector<Running> places_;
  std::vector<std::size_t> free_;  // has room for all
  std::size_t local_ = 0;
};

}  // namespace sluice::limit
