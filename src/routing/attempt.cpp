#include "routing/attempt.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <new>

#include "routing/credential_ring.hpp"
#include "routing/rate_limit_fields.hpp"
#include "sluice/api/errors.hpp"
#include "sluice/api/estimate.hpp"
#include "sluice/core/text.hpp"

namespace sluice::routing {
namespace {

using observe::Phase;
using observe::Stage;

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

}  // namespace

Attempt::Attempt(pipeline::Exchange& exchange, Errand errand, const AttemptLimits& limits)
    : exchange_(exchange),
      errand_(std::move(errand)),
      target_(*errand_.target),
      limits_(limits),
      place_(exchange.record.attempts.size()) {
  exchange.record.attempts.push_back({.provider = target_.place.provider,
                                      .target = target_.name,
                                      .result = "aborted",
                                      .span = new_span_id(),
                                      .began = began_});
  note_target(exchange_.record, target_);
}

Attempt::~Attempt() {
  if (!relay_) return;
  try {
    relay_->note();
  } catch (const std::bad_alloc&) {
    // Then the stream is cut without a word.
  }
}

Task<Result<void>> Attempt::start() {
  auto result = co_await prepare();
  if (result) {
    good_so_far();
  } else {
    ended(result);
  }
  co_return result;
}

Task<Result<void>> Attempt::deliver() {
  auto result = co_await relay_->deliver();
  ended(result);
  co_return result;
}

Usage Attempt::give_up() {
  Usage used = relay_ ? relay_->usage() : Usage{};
  relay_.reset();
  auto& result = exchange_.record.attempts[place_].result;
  if (result == "aborted" || result == traits(ErrorKind::kClientGone).code) result = "superseded";
  if (used.source != UsageSource::kNone || !sent_ || refused_) return used;
  used.source = UsageSource::kEstimated;
  used.input = api::estimate_input_tokens(*exchange_.view);
  return used;
}

void Attempt::good_so_far() {
  const auto now = Clock::now();
  if (errand_.leave) errand_.leave->answered(now - began_, now);
  if (target_.credentials != nullptr) target_.credentials->worked(errand_.credential, now);
}

void Attempt::ended(Result<void>& result) {
  judge(result);
  refused_ = !result && is_refusal(result.error());
  if (!result) redact(result.error(), target_.provider->redactor());
  auto& attempt = exchange_.record.attempts[place_];
  attempt.result = result ? "ok" : traits(result.error().kind).code;
  attempt.ended = Clock::now();
}

// What it says about the target and the credential.
void Attempt::judge(const Result<void>& result) {
  const auto now = Clock::now();
  const bool too_late = now >= limits_.deadline;
  const Blame blame = result || too_late ? Blame::kNone : blame_of(result.error());
  if (errand_.leave) {
    errand_.leave->ended(result ? Outcome::kGood : blame == Blame::kTarget ? Outcome::kFault : Outcome::kNeutral, now);
  }
  if (target_.credentials == nullptr) return;
  if (blame == Blame::kBusy) target_.credentials->rate_limited(errand_.credential, wait_, now);
  if (blame != Blame::kCredential) return;
  target_.credentials->rejected(errand_.credential, now);
  spdlog::warn("providers.{}.api_keys[{}] was not accepted; it is not used for some minutes, or until a reload",
               target_.place.provider, errand_.credential);
}

RelayLimits Attempt::relay_limits(TimePoint now) const {
  RelayLimits limits{.first_token_due = now + target_.timeouts.first_token,
                     .total_due = limits_.total_due,
                     .idle = target_.timeouts.idle,
                     .event_bytes = limits_.limits.event_bytes,
                     .response_bytes = limits_.limits.response_bytes,
                     .inline_bytes = limits_.limits.inline_bytes,
                     .until_content = limits_.alternatives};
  if (limits_.starve == nullptr || !limits_.alternatives) return limits;
  const auto& [rate, within] = *limits_.starve;
  limits.starve_within = within;
  limits.least_events = static_cast<std::uint64_t>(static_cast<double>(rate.count) * within / rate.window);
  return limits;
}

Task<Result<void>> Attempt::prepare() {
  RelayLimits limits = relay_limits(began_);
  exchange_.record.phase = Phase::kConnect;
  if (auto answer = target_.provider->answer(*exchange_.view)) {
    exchange_.record.asks(began_);
    limits.hide_usage = !exchange_.view->wants_usage;
    relay_ = make_relay(exchange_, std::move(answer), limits);
    co_return co_await relay_->prepare();
  }
  limits.redactor = &target_.provider->redactor();
  auto upstream = co_await open(limits);
  if (!upstream) co_return std::unexpected(std::move(upstream.error()));
  heard((*upstream)->head());
  if (auto status = co_await check_status(**upstream, limits); !status) co_return status;
  relay_ = make_relay(exchange_, std::move(*upstream), limits);
  co_return co_await relay_->prepare();
}

void Attempt::note_fields(const http::ResponseHead& head) {
  const Redactor& redactor = target_.provider->redactor();
  for (const http::Field& field : head.fields) {
    const bool is_id = equals_ignore_case(field.name, "x-request-id");
    const auto known =
        std::ranges::find_if(kPassedOn, [&](std::string_view name) { return equals_ignore_case(field.name, name); });
    if ((!is_id && known == kPassedOn.end()) || head.nominates(field.name) || redactor.finds(field.value)) continue;
    if (is_id) upstream_id_ = observe::recorded_id(field.value);
    told_.emplace_back(is_id ? "x-upstream-request-id" : *known, field.value);
  }
}

void Attempt::tell() {
  exchange_.record.upstream_request_id = upstream_id_;
  auto& passed_on = exchange_.passed_on;
  for (auto& field : told_) {
    // Our own limits are what the client has to mind.
    const bool ours = std::ranges::any_of(passed_on, [&](const auto& passed) { return passed.first == field.first; });
    if (!ours) passed_on.push_back(std::move(field));
  }
}

void Attempt::heard(const http::ResponseHead& head) {
  note_fields(head);
  if (target_.credentials == nullptr) return;
  target_.credentials->heard(errand_.credential, read_rate_limits(head, std::chrono::system_clock::now()),
                             Clock::now());
}

// The encoded request, which nobody needs once it is sent, ends with this frame.
Task<Result<std::unique_ptr<http::ResponseStream>>> Attempt::open(RelayLimits& limits) {
  const auto now = Clock::now();
  provider::Encoded encoded;
  encoded.model = target_.place.model;
  encoded.credential = errand_.credential;
  auto& record = exchange_.record;
  encoded.traceparent = traceparent_of(record.trace, record.attempts[place_].span);
  encoded.tracestate = record.trace.has_parent();  // without the trace it says nothing
  auto good = target_.provider->encode(exchange_.request, *exchange_.view, encoded);
  if (!good) co_return std::unexpected(std::move(good.error()));
  limits.hide_usage = encoded.usage_forced;
  encoded.outgoing.connect_timeout = target_.timeouts.connect;
  encoded.outgoing.head_due = std::min(now + target_.timeouts.first_byte, limits.total_due);
  if (exchange_.view->stream) encoded.outgoing.head_due = std::min(encoded.outgoing.head_due, limits.first_token_due);
  record.asks(now);
  http::OpenTimes times;
  auto upstream = co_await exchange_.upstreams.open(encoded.outgoing, times);
  note_times(times);
  co_return upstream;
}

void Attempt::note_times(const http::OpenTimes& times) {
  auto& attempt = exchange_.record.attempts[place_];
  attempt.reused = times.reused;
  attempt.connected = times.connected;
  attempt.first_byte = times.first_byte;
  if (times.connected != TimePoint{}) {
    sent_ = true;
    exchange_.record.reached(Stage::kConnect, times.tcp);
    exchange_.record.reached(Stage::kTls, times.tls);
    exchange_.record.phase = Phase::kFirstByte;
  }
  if (times.first_byte != TimePoint{}) exchange_.record.reached(Stage::kFirstByte, times.first_byte);
}

// Anything but 200 is an error; what the upstream says about it is read, up to a limit.
Task<Result<void>> Attempt::check_status(http::ResponseStream& upstream, RelayLimits limits) {
  const http::ResponseHead& head = upstream.head();
  auto plain = check_encoding(head);
  if (head.status == 200) co_return plain;
  if (head.status < 400) {
    co_return fail(ErrorKind::kUpstreamInvalidResponse, "The upstream answered with something that is no answer.",
                   "status " + std::to_string(head.status));
  }
  limits.response_bytes = limits_.limits.error_bytes;
  limits.total_due = std::min(limits.total_due, Clock::now() + kErrorBodyTimeout);
  // A compressed reason cannot be read; the status counts all the same.
  auto body = plain ? co_await read_body(exchange_, upstream, limits) : Result<std::string>{};
  if (!body && body.error().kind == ErrorKind::kClientGone) co_return std::unexpected(std::move(body.error()));
  const std::string_view text = body ? std::string_view(*body) : std::string_view{};
  Error error = api::upstream_error(head.status, text);
  const auto wall = std::chrono::system_clock::now();
  wait_ = wait_told(head, text, wall);
  if (!wait_ && head.status == 429) wait_ = longest_reset(read_rate_limits(head, wall));
  if (wait_) tell_wait(error, *wait_);
  co_return std::unexpected(std::move(error));
}

}  // namespace sluice::routing
