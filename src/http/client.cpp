#include "sluice/http/client.hpp"

#include "http/address_policy.hpp"
#include "http/pool.hpp"
#include "http/resolver.hpp"
#include "http/upstream_response.hpp"

namespace sluice::http {
namespace {

// Trying again soon does not help: first the name or the configuration has to change.
std::unexpected<Error> address_refused(const IoError& error) {
  auto failed = fail(ErrorKind::kUpstreamConnectFailed, "The upstream could not be reached.", error.detail);
  failed.error().no_retry = true;
  return failed;
}

std::unexpected<Error> connect_failed(const IoError& error) {
  switch (error.fault) {
    case IoFault::kRefused:
      return address_refused(error);
    case IoFault::kCancelled:
      return client_gone();
    case IoFault::kTimeout:
      return fail(ErrorKind::kUpstreamTimeout, "The upstream could not be reached in time.",
                  "connect: " + error.detail);
    case IoFault::kTls:
      return fail(ErrorKind::kUpstreamTls, "A secure connection to the upstream could not be made.", error.detail);
    default:
      return fail(ErrorKind::kUpstreamConnectFailed, "The upstream could not be reached.", error.detail);
  }
}

TcpEndpoint endpoint_of(const IpAddress& address, std::uint16_t port) {
  const net::ip::address_v6 v6(address.bytes);
  if (v6.is_v4_mapped()) return {net::ip::make_address_v4(net::ip::v4_mapped, v6), port};
  return {v6, port};
}

class PooledClient final : public Client {
 public:
  PooledClient(net::io_context& io, TimerWheel& timers, ClientLimits limits, LookUp look_up)
      : io_(io),
        timers_(timers),
        limits_(limits),
        resolver_(io, limits.dns_ttl, std::move(look_up), counts_),
        pool_(timers) {}

  UpstreamCounts counts() const override { return *counts_; }

  void configure(ClientLimits limits) override {
    limits_ = limits;
    resolver_.set_ttl(limits.dns_ttl);
  }

  Task<Result<std::unique_ptr<ResponseStream>>> open(const Outgoing& request, OpenTimes& times) override {
    if (auto idle = pool_.take(*request.origin)) {
      times.reused = true;
      bool got_bytes = false;
      auto answer = co_await exchange(request, std::move(idle), times, got_bytes);
      if (answer || got_bytes || answer.error().kind != ErrorKind::kUpstreamReset) co_return std::move(answer);
      times.reused = false;
    }
    const auto due = std::min(Clock::now() + request.connect_timeout, request.head_due);
    auto connection = co_await connect(*request.origin, due, &times);
    if (!connection) co_return std::unexpected(std::move(connection.error()));
    bool got_bytes = false;
    co_return co_await exchange(request, std::move(*connection), times, got_bytes);
  }

  Task<Result<void>> warm(std::shared_ptr<const Origin> origin, std::size_t count, milliseconds timeout) override {
    for (std::size_t i = 0; i < count; ++i) {
      auto connection = co_await connect(*origin, Clock::now() + timeout);
      if (!connection) co_return std::unexpected(std::move(connection.error()));
      pool_.put(*origin, std::move(*connection));
    }
    co_return Result<void>{};
  }

 private:
  Task<Result<std::unique_ptr<UpstreamConnection>>> connect(const Origin& origin, TimePoint due,
                                                            OpenTimes* times = nullptr) {
    auto addresses = co_await resolver_.resolve(origin.host, due);
    if (!addresses) co_return connect_failed(addresses.error());
    if (auto fit = keep_allowed(origin, *addresses, *counts_); !fit) co_return connect_failed(fit.error());
    std::vector<TcpEndpoint> endpoints;
    for (const IpAddress& address : *addresses) endpoints.push_back(endpoint_of(address, origin.port));
    ++counts_->connections;
    auto connection = std::make_unique<UpstreamConnection>(io_, timers_);
    if (auto made = co_await connection->read->transport().connect(endpoints, due); !made)
      co_return connect_failed(made.error());
    if (times != nullptr) times->tcp = Clock::now();
    if (origin.tls) {
      auto secured = co_await connection->read->transport().handshake(*origin.tls, origin.host, due);
      if (!secured) co_return connect_failed(secured.error());
      if (times != nullptr) times->tls = Clock::now();
    }
    co_return std::move(connection);
  }

  // An upstream may answer before it has read all of the request, and may then read no further (413): its answer ends
  // the upload.
  static Task<IoResult<void>> send_rest(UpstreamConnection& connection, TimePoint due) {
    Transport& transport = connection.read->transport();
    connection.start_read();
    connection.read->on_arrival([&transport] { transport.interrupt_write(); });
    auto written = co_await transport.flush(due);
    connection.read->on_arrival(nullptr);
    co_return written;
  }

  Task<Result<std::unique_ptr<ResponseStream>>> exchange(const Outgoing& request,
                                                         std::unique_ptr<UpstreamConnection> connection,
                                                         OpenTimes& times, bool& got_bytes) {
    times.connected = Clock::now();
    std::vector<std::string_view> pieces{request.head.reveal()};
    pieces.insert(pieces.end(), request.body.begin(), request.body.end());
    auto all = connection->read->transport().write_now(pieces);
    IoResult<void> written;
    if (!all)
      written = std::unexpected(std::move(all.error()));
    else if (!*all)
      written = co_await send_rest(*connection, request.head_due);
    const bool answered = connection->read->has_result();
    if (!written && written.error().fault == IoFault::kCancelled && !answered)
      co_return connect_failed(written.error());
    auto response = std::make_unique<UpstreamResponse>(pool_, request.origin, std::move(connection));
    auto head = co_await response->read_head(limits_.head, request.head_due, got_bytes);
    if (!head) co_return std::unexpected(std::move(head.error()));
    times.first_byte = Clock::now();
    if (!written) response->forbid_reuse();
    co_return std::unique_ptr<ResponseStream>(std::move(response));
  }

  net::io_context& io_;
  TimerWheel& timers_;
  ClientLimits limits_;
  std::shared_ptr<UpstreamCounts> counts_ = std::make_shared<UpstreamCounts>();
  Resolver resolver_;
  Pool pool_;
};

}  // namespace

std::unique_ptr<Client> make_client(net::io_context& io, TimerWheel& timers, ClientLimits limits, LookUp look_up) {
  return std::make_unique<PooledClient>(io, timers, limits, std::move(look_up));
}

bool has_look_ups_in_flight() { return look_ups_in_flight() > 0; }

}  // namespace sluice::http
