#include "routing/backoff.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::routing {

nanoseconds backoff(const config::Backoff& settings, unsigned retry, double uniform) {
  using Ns = std::chrono::duration<double, std::nano>;
  const Ns doubled = Ns(settings.base) * std::ldexp(1.0, static_cast<int>(std::min(retry, 60U)));
  const Ns longest = std::min(doubled, Ns(settings.most));
  return nanoseconds(static_cast<nanoseconds::rep>((longest * std::clamp(uniform, 0.0, 1.0)).count()));
}

}  // namespace sluice::routing
