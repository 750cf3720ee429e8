#include <algorithm>
#include <array>
#include <chrono>

#include "routing/relay.hpp"
#include "sluice/api/errors.hpp"
#include "sluice/core/text.hpp"
#include "sluice/http/retry_after.hpp"
#include "sluice/routing/stages.hpp"

namespace sluice::routing {
namespace {

using observe::Phase;
using observe::Stage;

// The longest wait the official SDKs obey; asked for more, they give up at once.
constexpr auto kLongestRetryAfter = std::chrono::seconds(120);

constexpr auto kErrorBodyTimeout = std::chrono::seconds(5);

constexpr std::array<std::string_view, 9> kPassedOn = {"openai-processing-ms",
                                                       "openai-version",
                                                       "x-ratelimit-limit-requests",
                                                       "x-ratelimit-limit-tokens",
                                                       "x-ratelimit-remaining-requests",
                                                       "x-ratelimit-remaining-tokens",
                                                       "x-ratelimit-reset-requests",
                                                       "x-ratelimit-reset-tokens",
                                                       "x-models-etag"};

void note_fields(const http::ResponseHead& head, const Redactor& redactor, pipeline::Exchange& exchange) {
  for (const http::Field& field : head.fields) {
    const bool is_id = equals_ignore_case(field.name, "x-request-id");
    const auto known =
        std::ranges::find_if(kPassedOn, [&](std::string_view name) { return equals_ignore_case(field.name, name); });
    if ((!is_id && known == kPassedOn.end()) || head.nominates(field.name) || redactor.finds(field.value)) continue;
    if (is_id) exchange.record.upstream_request_id = observe::recorded_id(field.value);
    const std::string_view name = is_id ? "x-upstream-request-id" : *known;
    // Our own limits are what the client has to mind.
    const bool ours = std::ranges::any_of(exchange.passed_on, [&](const auto& passed) { return passed.first == name; });
    if (!ours) exchange.passed_on.emplace_back(name, field.value);
  }
}

Result<void> check_encoding(const http::ResponseHead& head) {
  const auto encoding = head.get("content-encoding");
  if (encoding.empty() || equals_ignore_case(encoding, "identity")) return {};
  return fail(ErrorKind::kUpstreamInvalidResponse, "The upstream sent a compressed answer that was not asked for.",
              "content-encoding");
}

// Some upstreams repeat the credential they were sent when they complain.
void redact(Error& error, const Redactor& redactor) {
  for (std::string* text : {&error.message, &error.type, &error.param, &error.code}) redactor.strike(*text);
}

// One try, on the record whichever way it ends.
class AttemptNote {
 public:
  AttemptNote(observe::Record& record, const std::string& provider) : record_(record) {
    record.attempts.push_back({provider, "aborted", false});
  }
  void reused(bool was) { record_.attempts.back().reused = was; }
  void ended(const Result<void>& result) {
    record_.attempts.back().result = result ? "ok" : traits(result.error().kind).code;
  }

 private:
  observe::Record& record_;
};

class Dispatch final : public pipeline::Middleware {
 public:
  explicit Dispatch(const config::Limits& limits) : limits_(limits) {}

  Task<Result<void>> handle(pipeline::Exchange& exchange, pipeline::Next) const override {
    const Route& route = *exchange.route;
    AttemptNote attempt(exchange.record, exchange.record.provider);
    auto result = co_await try_target(exchange, route, attempt);
    if (!result) redact(result.error(), route.provider->redactor());
    attempt.ended(result);
    co_return result;
  }

 private:
  Task<Result<void>> try_target(pipeline::Exchange& exchange, const Route& route, AttemptNote& attempt) const {
    const auto now = Clock::now();
    RelayLimits limits{.first_token_due = now + route.timeouts.first_token,
                       .total_due = exchange.record.started + route.timeouts.total,
                       .idle = route.timeouts.idle,
                       .event_bytes = limits_.event_bytes,
                       .response_bytes = limits_.response_bytes,
                       .inline_bytes = limits_.inline_bytes};
    exchange.sink.end_by(limits.total_due);
    exchange.record.phase = Phase::kConnect;
    if (auto answer = route.provider->answer(*exchange.view)) {
      exchange.record.reached(Stage::kRoute, now);
      limits.hide_usage = !exchange.view->wants_usage;
      co_return co_await relay(exchange, std::move(answer), limits);
    }
    limits.redactor = &route.provider->redactor();
    provider::Encoded encoded;
    auto good = route.provider->encode(exchange.request, *exchange.view, route.upstream_model, encoded);
    if (!good) co_return good;
    limits.hide_usage = encoded.usage_forced;
    encoded.outgoing.connect_timeout = route.timeouts.connect;
    encoded.outgoing.head_due = std::min(now + route.timeouts.first_byte, limits.total_due);
    if (exchange.view->stream) encoded.outgoing.head_due = std::min(encoded.outgoing.head_due, limits.first_token_due);
    exchange.record.reached(Stage::kRoute, now);
    auto upstream = co_await open(exchange, std::move(encoded), attempt);
    if (!upstream) co_return std::unexpected(std::move(upstream.error()));
    note_fields((*upstream)->head(), route.provider->redactor(), exchange);
    if (auto status = co_await check_status(exchange, **upstream, limits); !status) co_return status;
    co_return co_await relay(exchange, std::move(*upstream), limits);
  }

  // Takes the encoded request, which nobody needs once it is sent.
  static Task<Result<std::unique_ptr<http::ResponseStream>>> open(pipeline::Exchange& exchange,
                                                                  provider::Encoded encoded, AttemptNote& attempt) {
    http::OpenTimes times;
    auto upstream = co_await exchange.upstreams.open(encoded.outgoing, times);
    attempt.reused(times.reused);
    if (times.connected != TimePoint{}) {
      exchange.record.reached(Stage::kConnect, times.connected);
      exchange.record.phase = Phase::kFirstByte;
    }
    if (times.first_byte != TimePoint{}) exchange.record.reached(Stage::kFirstByte, times.first_byte);
    co_return upstream;
  }

  static Task<Result<void>> relay(pipeline::Exchange& exchange, std::unique_ptr<http::ResponseStream> upstream,
                                  RelayLimits limits) {
    if (exchange.view->stream) return relay_stream(exchange, std::move(upstream), limits);
    return relay_whole(exchange, std::move(upstream), limits);
  }

  // Anything but 200 is an error; what the upstream says about it is read, up to a limit.
  Task<Result<void>> check_status(pipeline::Exchange& exchange, http::ResponseStream& upstream,
                                  RelayLimits limits) const {
    const http::ResponseHead& head = upstream.head();
    auto plain = check_encoding(head);
    if (head.status == 200) co_return plain;
    if (head.status < 400) {
      co_return fail(ErrorKind::kUpstreamInvalidResponse, "The upstream answered with something that is no answer.",
                     "status " + std::to_string(head.status));
    }
    limits.response_bytes = limits_.error_bytes;
    limits.total_due = std::min(limits.total_due, Clock::now() + kErrorBodyTimeout);
    // A compressed reason cannot be read; the status counts all the same.
    auto body = plain ? co_await read_body(exchange, upstream, limits) : Result<std::string>{};
    if (!body && body.error().kind == ErrorKind::kClientGone) co_return std::unexpected(std::move(body.error()));
    Error error = api::upstream_error(head.status, body ? std::string_view(*body) : std::string_view{});
    error.retry_after =
        http::parse_retry_after(head.get("retry-after-ms"), head.get("retry-after"), std::chrono::system_clock::now());
    if (error.retry_after > kLongestRetryAfter) {
      error.retry_after = kLongestRetryAfter;
      error.no_retry = true;
    }
    co_return std::unexpected(std::move(error));
  }

  config::Limits limits_;
};

}  // namespace

std::unique_ptr<pipeline::Middleware> make_dispatch(const config::Limits& limits) {
  return std::make_unique<Dispatch>(limits);
}

}  // namespace sluice::routing
