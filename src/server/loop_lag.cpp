#include "server/loop_lag.hpp"

namespace sluice::server {

void LoopLag::start() {
  timer_.expires_after(kInterval);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    metrics_.lagged(Clock::now() - timer_.expiry());
    ++beats_;
    start();
  });
}

}  // namespace sluice::server
