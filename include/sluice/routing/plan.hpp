#pragma once
// The targets that one exchange may ask, in order. Belongs to Resolve's frame; one thread.

#include <cstddef>

#include "sluice/routing/router.hpp"

namespace sluice::routing {

class Plan {
 public:
  explicit Plan(const Route& route) : route_(route) {}
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  const Route& route() const { return route_; }
  const Target& first() const { return route_.targets.front(); }

  // Whom to ask now; null: nobody is left.
  const Target* next() { return place_ < route_.targets.size() ? &route_.targets[place_++] : nullptr; }
  bool is_last() const { return place_ >= route_.targets.size(); }

 private:
  const Route& route_;
  std::size_t place_ = 0;
};

}  // namespace sluice::routing
