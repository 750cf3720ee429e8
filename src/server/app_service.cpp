#include "server/app_service.hpp"

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

Result<void> AppService::admit(pipeline::Exchange& exchange) const {
  const http::RequestHead& head = exchange.request.head;
  exchange.dialect = api::dialect_of(head.path, head.has("anthropic-version"));
  api::RouteMatch match;
  auto routed = api::match_route(head.method, head.path, match);
  exchange.endpoint = exchange.record.endpoint = match.endpoint;
  exchange.model_id = std::move(match.model_id);
  if (!match.allow.empty()) exchange.passed_on.emplace_back("allow", match.allow);
  if (!routed) return routed;
  return head.method == "POST" ? check_media(head) : Result<void>{};
}

Task<Result<void>> AppService::handle(pipeline::Exchange& exchange) const {
  return pipeline::Next(snapshot_->pipeline)(exchange);
}

}  // namespace sluice::server
