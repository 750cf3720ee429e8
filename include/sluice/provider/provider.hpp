#pragma once
// What makes one kind of upstream different from another. A provider translates; it owns no socket and awaits nothing.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/api/request_view.hpp"
#include "sluice/config/config.hpp"
#include "sluice/core/redactor.hpp"
#include "sluice/http/client.hpp"
#include "sluice/http/request.hpp"

namespace sluice::provider {

// A request on its way to one target: the wire form and what it points into. Does not move once `outgoing` is set.
struct Encoded {
  std::string_view model{};    // wished: upstream name; empty: as the client named it
  std::size_t credential = 0;  // wished: which of them
  std::string traceparent{};   // wished; empty: the upstream is told of no trace
  bool tracestate = false;     // wished: the client's goes along with it
  std::vector<api::Edit> edits;
  http::Outgoing outgoing;
  bool usage_forced = false;  // include_usage was added: the client must not see its traces
};

class Provider {
 public:
  virtual ~Provider() = default;
  virtual const config::Provider& config() const = 0;

  // A name for each of its credentials, by which another configuration finds it again; it changes with the secret and
  // does not tell it. Empty: it has none.
  virtual std::vector<std::string> credentials() const = 0;

  // The request, as `encoded` wishes. `encoded.outgoing` points into `request`, `view` and `encoded.edits`.
  virtual Result<void> encode(const http::Request& request, const api::RequestView& view, Encoded& encoded) const = 0;

  // Where it lives; null: it has no upstream.
  virtual std::shared_ptr<const http::Origin> origin() const { return nullptr; }
  // GET of a path on the upstream's host, with its first credential. Only where there is an origin.
  virtual http::Outgoing health_check(std::string_view) const { return {}; }

  // An answer made here instead of being fetched; null for providers that have an upstream.
  virtual std::unique_ptr<http::ResponseStream> answer(const api::RequestView& view) const = 0;

  // Knows every credential that goes to the upstream: what comes back in errors and header fields passes through it.
  virtual const Redactor& redactor() const = 0;
};

// From a checked configuration. The error is a sentence for the operator (an unreadable CA file).
std::expected<std::unique_ptr<Provider>, std::string> make_provider(const config::Provider& config);

}  // namespace sluice::provider
