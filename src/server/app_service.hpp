#pragma once
// The apps' side: OpenAI's API in front of a snapshot's pipeline.

#include "server/service.hpp"
#include "sluice/server/snapshot.hpp"

namespace sluice::server {

class AppService final : public Service {
 public:
  explicit AppService(std::shared_ptr<const Snapshot> snapshot) : snapshot_(std::move(snapshot)) {}

  const config::Limits& limits() const override { return snapshot_->config.limits; }
  std::shared_ptr<const http::TlsContext> tls() const override { return snapshot_->tls; }
  Result<void> admit(pipeline::Exchange& exchange) const override;
  Task<Result<void>> handle(pipeline::Exchange& exchange) const override;
  bool recorded() const override { return true; }
  bool tells_timing() const override { return snapshot_->config.server.server_timing; }

  // Whether the exchange's key may use its endpoint. Error: kEndpointNotAllowed.
  static Result<void> check_endpoint(const pipeline::Exchange& exchange);

  const Snapshot& snapshot() const { return *snapshot_; }

 private:
  Result<void> authenticate(pipeline::Exchange& exchange) const;

  std::shared_ptr<const Snapshot> snapshot_;
};

}  // namespace sluice::server
