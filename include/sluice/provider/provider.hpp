#pragma once
// What makes one kind of upstream different from another. A provider translates; it owns no socket and awaits nothing.

#include <memory>
#include <string>
#include <vector>

#include "sluice/api/request_view.hpp"
#include "sluice/config/config.hpp"
#include "sluice/core/redactor.hpp"
#include "sluice/http/client.hpp"
#include "sluice/http/request.hpp"

namespace sluice::provider {

// A request on its way to one target: the wire form and what it points into. Does not move once `outgoing` is set.
struct Encoded {
  std::vector<api::Edit> edits;
  http::Outgoing outgoing;
  bool usage_forced = false;  // include_usage was added: the client must not see its traces
};

class Provider {
 public:
  virtual ~Provider() = default;
  virtual const config::Provider& config() const = 0;

  // The request for `model` (upstream name; empty: as the client named it). `encoded.outgoing` points into `request`,
  // `view` and `encoded.edits`.
  virtual Result<void> encode(const http::Request& request, const api::RequestView& view, const std::string& model,
                              Encoded& encoded) const = 0;

  // An answer made here instead of being fetched; null for providers that have an upstream.
  virtual std::unique_ptr<http::ResponseStream> answer(const api::RequestView& view) const = 0;

  // Knows every credential that goes to the upstream: what comes back in errors and header fields passes through it.
  virtual const Redactor& redactor() const = 0;
};

// From a checked configuration. The error is a sentence for the operator (an unreadable CA file).
std::expected<std::unique_ptr<Provider>, std::string> make_provider(const config::Provider& config);

}  // namespace sluice::provider
