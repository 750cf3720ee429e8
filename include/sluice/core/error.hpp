#pragma once
// Errors are values on the data plane. A stage returns one; serve() renders it once, in the caller's dialect.
// Statuses, types and codes: the error contract in docs/architecture.md, after OpenAI's API reference ("Error codes").

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sluice {

enum class ErrorKind : std::uint8_t {
  // The client's doing.
  kMalformedRequest,  // head or chunk framing that could be read in two ways
  kRequestTimeout,    // the head or body came too slowly
  kUriTooLong,
  kHeadersTooLarge,
  kRequestTooLarge,
  kExpectationFailed,
  kUnsupportedMediaType,
  kUnsupportedContentEncoding,
  kUnknownRoute,
  kMethodNotAllowed,
  kInvalidJson,
  kDuplicateKey,
  kJsonTooDeep,
  kMissingField,
  kInvalidValue,
  kUnsupportedParameter,
  kModelNotFound,
  kInvalidApiKey,
  kTooManyAuthFailures,  // of one source address
  kLoopbackOnly,         // no keys are configured, and the client is not on this machine
  kModelNotAllowed,      // by the key
  kEndpointNotAllowed,
  kRateLimited,
  kConcurrencyExceeded,  // of a node on the request's path, and no place in the queue
  kBudgetExceeded,
  kRunStopped,  // by the guard: a run of an agent has used up one of its caps
  kNotCached,   // and the request wants nothing else
  // Ours.
  kProviderOff,        // the model's provider has no credential
  kPriceUnknown,       // and the configuration says to refuse then
  kBudgetUnavailable,  // the shared books cannot be reached, and the configuration says to refuse then
  kRedisUnavailable,   // never a request's own end
  kOverloaded,
  kDraining,
  kInternal,
  kNoHealthyUpstream,  // every target of the model is ejected
  // The upstream's doing.
  kUpstreamConnectFailed,
  kUpstreamTls,
  kUpstreamTimeout,          // connect, first byte, first token or total
  kUpstreamIdleTimeout,      // silence after the answer began
  kUpstreamReset,            // connection lost before a whole response head
  kUpstreamInvalidResponse,  // framing, encoding, redirect, unreadable JSON
  kUpstreamInvalidEvent,     // a stream event that is not JSON
  kUpstreamEventTooBig,
  kUpstreamTruncated,  // the answer ended before it was complete
  kUpstreamAuth,       // 401/403: the operator's credential, never the client's
  kUpstreamStatus,     // any other error status, or an error object inside a 200
  // Nobody is left to read an answer.
  kClientGone,
  kClientStalled,
};

// How an exchange ended, on the record. The set is closed.
enum class Outcome : std::uint8_t {
  kOk,
  kCacheHit,
  kRejected,
  kRateLimited,
  kShed,
  kClientAbort,
  kClientStalled,
  kUpstreamError,
  kUpstreamTruncated,
  kTimeout,
  kInternal,
};
std::string_view to_string(Outcome outcome);
inline constexpr std::size_t kOutcomes = 11;

// Whose doing it is. A client that left or stalled is a client's.
enum class Origin : std::uint8_t { kClient, kGateway, kProvider };
std::string_view to_string(Origin origin);  // "client", "gateway", "provider"
Origin origin_of(ErrorKind kind);

// What follows from a kind alone.
struct ErrorTraits {
  ErrorKind kind;
  int status;             // HTTP status towards the client; 0 when nobody can be answered
  std::string_view type;  // OpenAI `error.type`
  std::string_view code;  // OpenAI `error.code`
  Outcome outcome;
  bool may_fall_back;  // another target could do better
  bool should_retry;   // `x-should-retry`, which the official SDKs obey
};
const ErrorTraits& traits(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string message;  // the client may read it
  std::string detail;   // for the log only
  std::string param;    // the member of the request at fault, if one is
  std::optional<std::chrono::milliseconds> retry_after;
  bool no_retry = false;  // SDKs must not try again, whatever the kind says
  // Set when an upstream's own error is passed on; they override the traits of the kind.
  int status = 0;
  std::string type;
  std::string code;
  // Members of the error object beside the usual ones: JSON, each with a comma before it. Empty: none.
  std::string more;

  int http_status() const { return status != 0 ? status : traits(kind).status; }
  std::string_view error_type() const { return type.empty() ? traits(kind).type : std::string_view(type); }
  std::string_view error_code() const { return code.empty() ? traits(kind).code : std::string_view(code); }
};

// An error as it lies in a Result: behind a pointer, since Results stand in every coroutine frame and hardly ever hold
// one. Empty only after a move.
class BoxedError {
 public:
  BoxedError(Error error) : error_(std::make_unique<Error>(std::move(error))) {}
  BoxedError(const BoxedError& other) : error_(std::make_unique<Error>(*other.error_)) {}
  BoxedError(BoxedError&&) noexcept = default;
  BoxedError& operator=(BoxedError other) noexcept {
    error_ = std::move(other.error_);
    return *this;
  }
  ~BoxedError() = default;
  Error& operator*() const { return *error_; }

 private:
  std::unique_ptr<Error> error_;
};

// Whether the upstream said no, or never got the request: then nothing was used there. A connection that broke later,
// or an answer nobody understood, may have been billed.
bool is_refusal(const Error& error);

// A value or an Error; made from a value or from what fail() returns.
template <class T>
class Result : public std::expected<T, BoxedError> {
  using Either = std::expected<T, BoxedError>;

 public:
  using Either::Either;
  Error& error() & { return *Either::error(); }
  const Error& error() const& { return *Either::error(); }
  Error&& error() && { return std::move(*Either::error()); }
};

inline std::unexpected<Error> fail(ErrorKind kind, std::string message, std::string detail = {}) {
  Error error;
  error.kind = kind;
  error.message = std::move(message);
  error.detail = std::move(detail);
  return std::unexpected(std::move(error));
}

inline std::unexpected<Error> client_gone(std::string detail = {}) {
  return fail(ErrorKind::kClientGone, "The client closed the connection.", std::move(detail));
}

// The one message and cause for whatever is shed; `what` goes to the log.
inline std::unexpected<Error> overloaded(std::string what) {
  return fail(ErrorKind::kOverloaded, "The gateway is overloaded; please try again in a moment.", std::move(what));
}

inline std::unexpected<Error> fail_param(ErrorKind kind, std::string param, std::string message) {
  Error error;
  error.kind = kind;
  error.message = std::move(message);
  error.param = std::move(param);
  return std::unexpected(std::move(error));
}

}  // namespace sluice
