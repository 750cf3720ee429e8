#pragma once
// Asks providers how they are, beside what their requests tell: GET of providers.<name>.health.path, every interval,
// by one loop for the whole process. Well is who answers with 2xx in time. Some failures in a row take all targets of
// the provider out of use; the first success brings them back. Of the main thread.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sluice/core/async.hpp"
#include "sluice/http/client.hpp"
#include "sluice/observe/series_budget.hpp"
#include "sluice/routing/router.hpp"

namespace sluice::server {

// What the checks of one provider have come to.
class HealthTally {
 public:
  static constexpr unsigned kMostFailures = 3;  // one lost packet or slow moment is no outage
  // Whether it is out.
  bool add(bool well);
  bool out() const { return in_a_row_ >= kMostFailures; }
  std::uint64_t passed() const { return passed_; }
  std::uint64_t failed() const { return failed_; }

 private:
  unsigned in_a_row_ = 0;
  std::uint64_t passed_ = 0;
  std::uint64_t failed_ = 0;
};

class HealthChecks {
 public:
  // Both outlive it, and the loop's last turn comes before the client's end.
  HealthChecks(net::io_context& io, http::Client& client) : io_(io), client_(client) {}
  ~HealthChecks();
  HealthChecks(const HealthChecks&) = delete;
  HealthChecks& operator=(const HealthChecks&) = delete;

  // From now on those of this configuration; what is known of a provider stays. Whom nobody checks any more comes back
  // by itself soon.
  void configure(const std::shared_ptr<const routing::Router>& router);
  // sluice_health_checks_total, in the text exposition format; empty: nobody is checked.
  std::string render(observe::SeriesBudget& budget) const;

 private:
  class Check;
  void stop();

  net::io_context& io_;
  http::Client& client_;
  std::map<std::string, std::shared_ptr<HealthTally>> tallies_;
  std::vector<std::shared_ptr<Check>> checks_;
};

}  // namespace sluice::server
