#include "server/app_service.hpp"

#include <algorithm>

#include "sluice/api/route.hpp"
#include "sluice/core/text.hpp"

namespace sluice::server {
namespace {

Result<void> check_media(const http::RequestHead& head) {
  const auto encoding = head.get("content-encoding");
  if (!encoding.empty() && !equals_ignore_case(encoding, "identity")) {
    return fail(ErrorKind::kUnsupportedContentEncoding,
                "Compressed request bodies are not accepted; send the JSON as it is.");
  }
  const auto full = head.get("content-type");
  const auto type = trim(full.substr(0, full.find(';')));
  // Nothing said is taken for JSON; the body must be JSON anyway.
  if (type.empty() || equals_ignore_case(type, "application/json") || type.ends_with("+json")) return {};
  return fail(ErrorKind::kUnsupportedMediaType,
              "The body must be JSON; send it with the header `content-type: application/json`.");
}

}  // namespace

// Whom the key lets ask for this. Nothing of a stranger's body is read.
Result<void> AppService::authenticate(pipeline::Exchange& exchange) const {
  const auth::Caller caller{exchange.source, exchange.record.time};
  auto key = snapshot_->authenticator->identify(exchange.request.head, caller);
  if (!key) {
    if (key.error().http_status() == 401) exchange.passed_on.emplace_back("www-authenticate", "Bearer");
    return std::unexpected(std::move(key.error()));
  }
  exchange.key = *key;
  if (*key == nullptr) return {};
  exchange.record.key = (*key)->name;
  exchange.record.group = (*key)->group;
  return {};
}

Result<void> AppService::check_endpoint(const pipeline::Exchange& exchange) {
  if (exchange.key == nullptr || !exchange.key->endpoints) return {};
  const auto& allowed = *exchange.key->endpoints;
  const bool lists = exchange.endpoint == Endpoint::kModels || exchange.endpoint == Endpoint::kModel;
  if (lists || std::ranges::find(allowed, exchange.endpoint) != allowed.end()) return {};
  return fail(ErrorKind::kEndpointNotAllowed,
              "Your API key may not use the endpoint `" + std::string(to_string(exchange.endpoint)) + "`.");
}

Result<void> AppService::admit(pipeline::Exchange& exchange) const {
  const http::RequestHead& head = exchange.request.head;
  exchange.dialect = api::dialect_of(head.path, head.has("anthropic-version"));
  api::RouteMatch match;
  auto routed = api::match_route(head.method, head.path, match);
  exchange.endpoint = exchange.record.endpoint = match.endpoint;
  exchange.model_id = std::move(match.model_id);
  if (auto known = authenticate(exchange); !known) return known;
  if (!match.allow.empty()) exchange.passed_on.emplace_back("allow", match.allow);
  if (!routed) return routed;
  if (auto allowed = check_endpoint(exchange); !allowed) return allowed;
  return head.method == "POST" ? check_media(head) : Result<void>{};
}

Task<Result<void>> AppService::handle(pipeline::Exchange& exchange) const {
  exchange.stages = {snapshot_, &snapshot_->pipeline};
  return pipeline::Next(snapshot_->pipeline)(exchange);
}

}  // namespace sluice::server
