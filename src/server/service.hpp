#pragma once
// What stands behind a listener: the apps' side or the operators' side. One connection code serves both.

#include <memory>

#include "sluice/config/config.hpp"
#include "sluice/http/tls.hpp"
#include "sluice/pipeline/exchange.hpp"

namespace sluice::server {

class Service {
 public:
  virtual ~Service() = default;
  virtual const config::Limits& limits() const = 0;
  // What a new connection begins with; null: no TLS.
  virtual std::shared_ptr<const http::TlsContext> tls() const { return nullptr; }

  // What the head alone decides, before a body is read: route, method, media type. Fills in endpoint, model_id and
  // dialect of the exchange.
  virtual Result<void> admit(pipeline::Exchange& exchange) const = 0;
  // Answers through exchange.sink, or says why not.
  virtual Task<Result<void>> handle(pipeline::Exchange& exchange) const = 0;
  // Whether an exchange is worth a record.
  virtual bool recorded() const = 0;
  // Whether clients are told what took how long.
  virtual bool tells_timing() const { return false; }
};

}  // namespace sluice::server
