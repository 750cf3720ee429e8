#pragma once
// The operators' side: health, version, metrics, and what is on the books.

#include <functional>
#include <string>

#include "server/books.hpp"
#include "server/service.hpp"

namespace sluice::server {

// What the admin listener asks the process for.
struct AdminSource {
  config::Limits limits;
  std::function<bool()> ready;                                     // false: send no new traffic here
  std::function<bool()> warming;                                   // connections are being opened ahead: not ready yet
  std::function<bool()> degraded;                                  // it serves, but without something it should have
  std::function<Task<std::string>()> metrics;                      // the exposition text, collected from all workers
  std::function<Task<std::string>(std::string_view status)> live;  // what the page shows, as JSON
  Books& books;
  std::function<std::shared_ptr<const Snapshot>()> snapshot;  // the one in force
};

class AdminService final : public Service {
 public:
  explicit AdminService(AdminSource source) : source_(std::move(source)) {}

  const config::Limits& limits() const override { return source_.limits; }
  Result<void> admit(pipeline::Exchange& exchange) const override;
  Task<Result<void>> handle(pipeline::Exchange& exchange) const override;
  bool recorded() const override { return false; }

 private:
  std::string_view liveness() const;
  std::string_view readiness() const;
  Task<Result<void>> report(pipeline::Exchange& exchange) const;
  Task<Result<void>> purge(pipeline::Exchange& exchange) const;

  AdminSource source_;
};

}  // namespace sluice::server
