#pragma once
// The upstream side: keep-alive connections per worker and per origin, one request at a time on each.

#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/core/async.hpp"
#include "sluice/core/clock.hpp"
#include "sluice/core/error.hpp"
#include "sluice/core/ip.hpp"
#include "sluice/core/secret.hpp"
#include "sluice/core/upstream_counts.hpp"
#include "sluice/http/head.hpp"
#include "sluice/http/tls.hpp"

namespace sluice {
class TimerWheel;
}

namespace sluice::http {

// Where requests go. Comes from the operator's configuration only; connections are shared among equal identities.
struct Origin {
  std::string host;  // name or address, no brackets
  std::uint16_t port = 80;
  std::shared_ptr<const TlsContext> tls;  // null: plain
  std::vector<IpNetwork> allowed;         // loopback, private and reserved addresses that the name may lead to
  std::string identity;                   // equal: the same host, port, TLS settings and allowed addresses
  std::size_t max_idle = 256;             // connections kept for reuse, per worker
  milliseconds idle_timeout{30'000};      // and for how long
};

// One request. Everything it points to outlives the call of open().
struct Outgoing {
  std::shared_ptr<const Origin> origin;
  Secret head;  // complete, with its empty line; it holds the provider's credential
  std::vector<std::string_view> body;
  milliseconds connect_timeout{2'000};
  TimePoint head_due = kNever;  // when the response's head must have come
};

// What the record wants to know about the way there.
struct OpenTimes {
  TimePoint connected{};  // ready to be written to
  TimePoint tcp{};        // unless the connection had served before
  TimePoint tls{};        // the same, with TLS
  TimePoint first_byte{};
  bool reused = false;
};

// The answer, pulled by whoever relays it. Destroying it closes the connection, at any time and at once, unless the
// body was read to its end: then the connection may serve again.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;
  virtual const ResponseHead& head() const = 0;

  // Some bytes of the body, valid until the next call; empty when the body is complete. Errors: kUpstreamTruncated
  // (the body is shorter than its framing says), kUpstreamInvalidResponse, kUpstreamIdleTimeout (nothing until `due`),
  // kClientGone (the task was cancelled).
  virtual Task<Result<std::string_view>> read_some(TimePoint due) = 0;

  // Whoever reads has to wait for something else, for long perhaps: gives back the memory that takes meanwhile. What
  // read_some() returned is no longer valid.
  virtual void pause() {}

  // Nothing more of the body matters. Keeps the connection for reuse if its end comes soon; never makes anyone wait.
  static void finish(std::unique_ptr<ResponseStream> stream);

 protected:
  virtual void finish_in_background(std::unique_ptr<ResponseStream> self) = 0;
};

// The addresses of a name, or why there are none. Blocks; called on threads of its own.
using LookUpResult = std::expected<std::vector<IpAddress>, std::string>;
using LookUp = std::function<LookUpResult(const std::string& host)>;
LookUpResult system_look_up(const std::string& host);  // getaddrinfo

struct ClientLimits {
  HeadLimits head;
  milliseconds dns_ttl{30'000};
};
class Client {
 public:
  virtual ~Client() = default;
  virtual void configure(ClientLimits limits) = 0;  // for requests opened from now on

  // Connects or reuses, sends, skips 1xx and returns with the final head. A reused connection that died before the
  // first byte of an answer is replaced once, unseen. Redirects are not followed, and addresses are judged
  // before they are connected to (http/address_policy.hpp). Errors: kUpstreamConnectFailed,
  // kUpstreamTls, kUpstreamTimeout, kUpstreamReset, kUpstreamInvalidResponse, kClientGone.
  virtual Task<Result<std::unique_ptr<ResponseStream>>> open(const Outgoing& request, OpenTimes& times) = 0;

  // Opens so many connections ahead and keeps them for reuse, as far as the origin's max_idle goes; each may take so
  // long. Ends with the first that fails; those before it are kept. Errors: as of connecting in open().
  virtual Task<Result<void>> warm(std::shared_ptr<const Origin> origin, std::size_t count, milliseconds timeout) = 0;

  // Since it was made.
  virtual UpstreamCounts counts() const = 0;
};

// One per worker, used on the worker's thread only.
std::unique_ptr<Client> make_client(net::io_context& io, TimerWheel& timers, ClientLimits limits,
                                    LookUp look_up = system_look_up);

// Whether a thread is still busy looking up a name: it will report to its worker, which must not be destroyed before.
bool has_look_ups_in_flight();

}  // namespace sluice::http
