#include "server/admin_service.hpp"

#include <spdlog/spdlog.h>

#include "server/admin_reports.hpp"
#include "server/page.hpp"
#include "server/purge_request.hpp"
#include "server/target_report.hpp"
#include "sluice/core/build_info.hpp"
#include "sluice/core/json_string.hpp"
#include "sluice/core/text.hpp"

namespace sluice::server {
namespace {

constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

constexpr std::string_view kLimits = "/admin/limits";
constexpr std::string_view kSpend = "/admin/spend";
constexpr std::string_view kTargets = "/admin/targets";
constexpr std::string_view kPurge = "/admin/cache/purge";
constexpr std::string_view kLive = "/admin/live";
constexpr std::string_view kPage = "/";

bool is_report(std::string_view path) { return path == kLimits || path == kSpend || path == kTargets; }
bool is_known(std::string_view path) {
  return path == kPage || path == kLive || path == "/healthz" || path == "/readyz" || path == "/version" ||
         path == "/metrics" || path == kPurge || is_report(path);
}

}  // namespace

Result<void> AdminService::admit(pipeline::Exchange& exchange) const {
  const http::RequestHead& head = exchange.request.head;
  if (!is_known(head.path)) {
    return fail(ErrorKind::kUnknownRoute, "There is nothing at " + truncate_utf8(head.path, 128) +
                                              ". The admin listener serves a page at /, and /metrics, /healthz, "
                                              "/readyz, /version, /admin/limits, /admin/spend, /admin/targets, "
                                              "/admin/live and /admin/cache/purge.");
  }
  const bool purges = head.path == kPurge;
  const bool reads = head.method == "GET" || head.method == "HEAD";
  if (purges ? head.method == "POST" : reads) return {};
  exchange.passed_on.emplace_back("allow", purges ? "POST" : "GET, HEAD");
  return fail(ErrorKind::kMethodNotAllowed, purges ? "Use POST here." : "Use GET here.");
}

Task<Result<void>> AdminService::handle(pipeline::Exchange& exchange) const {
  const std::string_view path = exchange.request.head.path;
  if (path == "/metrics") {
    const std::string text = co_await source_.metrics();
    co_return co_await exchange.sink->respond({.content_type = kMetricsType}, text);
  }
  if (path == kPage) co_return co_await exchange.sink->respond(page_start(), page_html());
  if (path == kLive) {
    const std::string text = co_await source_.live(readiness());
    co_return co_await exchange.sink->respond({.fields = {{"cache-control", "no-store"}}}, text);
  }
  if (path == "/version") {
    const std::string body = "{\"name\":\"sluice\",\"version\":\"" + std::string(version()) + "\"}\n";
    co_return co_await exchange.sink->respond({}, body);
  }
  if (path == kPurge) co_return co_await purge(exchange);
  if (is_report(path)) co_return co_await report(exchange);
  const std::string_view word = path == "/healthz" ? liveness() : readiness();
  const bool ready = word == "ok" || word == "degraded";
  const std::string body = "{\"status\":\"" + std::string(word) + "\"}\n";
  co_return co_await exchange.sink->respond({.status = ready ? 200 : 503}, body);
}

std::string_view AdminService::liveness() const { return source_.degraded() ? "degraded" : "ok"; }

std::string_view AdminService::readiness() const {
  return !source_.ready() ? "draining" : source_.warming() ? "warming" : liveness();
}

Task<Result<void>> AdminService::purge(pipeline::Exchange& exchange) const {
  const auto cache = source_.snapshot()->cache;
  if (!cache) co_return fail(ErrorKind::kUnknownRoute, "Nothing is cached: the configuration switches it on nowhere.");
  auto names = read_purge(exchange.request.body);
  if (!names) co_return std::unexpected(std::move(names.error()));
  std::string body = "{\"purged\":[";
  for (const std::string& name : *names) {
    if (auto done = co_await cache->purge(name); !done) co_return done;
    if (body.back() != '[') body += ',';
    append_json_string(body, name);
  }
  spdlog::info("purged from the cache: {}", body.substr(body.find('[')) + "]");
  co_return co_await exchange.sink->respond({}, body + "]}\n");
}

Task<Result<void>> AdminService::report(pipeline::Exchange& exchange) const {
  const http::RequestHead& head = exchange.request.head;
  if (head.path == kTargets) {
    const std::string targets = report_targets(*source_.snapshot()->router, Clock::now());
    co_return co_await exchange.sink->respond({}, targets);
  }
  const std::string query(head.query);
  auto text = head.path == kLimits ? co_await report_limits(source_.snapshot(), source_.books.ledger(), query)
                                   : co_await report_spend(source_.books.spend(), query);
  if (!text) co_return std::unexpected(std::move(text.error()));
  co_return co_await exchange.sink->respond({}, *text);
}

}  // namespace sluice::server
