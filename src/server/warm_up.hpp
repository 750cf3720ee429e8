#pragma once
// Connections that each worker opens to providers before anybody asks: providers.<name>.warm_up.

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/worker.hpp"
#include "sluice/routing/router.hpp"

namespace sluice::server {

// Of the main thread.
class WarmUp {
 public:
  // So long a start may be kept from being ready: enough for a slow name look-up and TLS, and less than an orchestrator
  // waits before it takes a start for failed.
  static constexpr auto kLongest = std::chrono::seconds(5);

  // Opens what this configuration wants and the one before did not have. A provider that cannot be reached is told once
  // and keeps nobody waiting.
  void begin(const std::vector<std::unique_ptr<Worker>>& workers, const routing::Router& router);
  // Whether what the process began with is still being opened. Later ones do not make a ready process unready.
  bool running(TimePoint now) const;

 private:
  using Wishes = std::map<std::string, std::pair<std::string, std::size_t>>;  // of providers: identity and count
  Wishes known_;
  std::shared_ptr<std::atomic<std::size_t>> first_;  // of the first round: how many are under way; null: none began
  TimePoint due_{};
};

}  // namespace sluice::server
