#include "server/loop_lag.hpp"

namespace sluice::server {

void LoopLag::start() {
  if (beating_) return;
  timer_.expires_after(kInterval);
  timer_.async_wait([this](const boost::system::error_code& error) {
    beating_ = false;
    if (error) return;
    metrics_.lagged(Clock::now() - timer_.expiry());
    ++beats_;
    start();
    on_beat_();
  });
  beating_ = true;
}

}  // namespace sluice::server
