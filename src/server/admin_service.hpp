#pragma once
// The operators' side: health, version and metrics.

#include <functional>
#include <string>

#include "server/service.hpp"

namespace sluice::server {

// What the admin listener asks the process for.
struct AdminSource {
  config::Limits limits;
  std::function<bool()> ready;                 // false: send no new traffic here
  std::function<Task<std::string>()> metrics;  // the exposition text, collected from all workers
};

class AdminService final : public Service {
 public:
  explicit AdminService(AdminSource source) : source_(std::move(source)) {}

  const config::Limits& limits() const override { return source_.limits; }
  Result<void> admit(pipeline::Exchange& exchange) const override;
  Task<Result<void>> handle(pipeline::Exchange& exchange) const override;
  bool recorded() const override { return false; }

 private:
  AdminSource source_;
};

}  // namespace sluice::server
