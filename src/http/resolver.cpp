#include "http/resolver.hpp"

#include <netdb.h>

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

namespace sluice::http {
namespace {

constexpr auto kFailureTtl = milliseconds(1000);

// getaddrinfo blocks, and a dead name server blocks it for long: a few threads of their own, for the whole process.
// Never destroyed: a thread that hangs in there must not hold up the end of the process.
net::thread_pool& look_up_threads() {
  static auto* pool = new net::thread_pool(4);
  return *pool;
}
std::atomic<int> g_in_flight = 0;

struct Found {
  std::vector<net::ip::address> addresses;
  std::string failure;
};

net::ip::address to_address(const sockaddr& from) {
  if (from.sa_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(from);
    return net::ip::address_v4(ntohl(v4.sin_addr.s_addr));
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(from);
  net::ip::address_v6::bytes_type bytes;
  std::copy(std::begin(v6.sin6_addr.s6_addr), std::end(v6.sin6_addr.s6_addr), bytes.begin());
  return net::ip::address_v6(bytes, v6.sin6_scope_id);
}

Found blocking_look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  if (int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &list); failed != 0) {
    return {{}, ::gai_strerror(failed)};
  }
  Found found;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    if (at->ai_family == AF_INET || at->ai_family == AF_INET6) found.addresses.push_back(to_address(*at->ai_addr));
  }
  ::freeaddrinfo(list);
  if (found.addresses.empty()) found.failure = "no address";
  return found;
}

std::vector<TcpEndpoint> with_port(const std::vector<net::ip::address>& addresses, std::uint16_t port) {
  std::vector<TcpEndpoint> endpoints;
  endpoints.reserve(addresses.size());
  for (const auto& address : addresses) endpoints.emplace_back(address, port);
  return endpoints;
}

}  // namespace

int look_ups_in_flight() { return g_in_flight; }

void Resolver::look_up(const std::string& host, const std::shared_ptr<Entry>& entry) {
  entry->looking_up = true;
  ++g_in_flight;
  net::post(look_up_threads(), [host, entry, ttl = ttl_, &io = io_]() mutable {
    net::post(io, [entry = std::move(entry), ttl, found = blocking_look_up(host)]() mutable {
      entry->looking_up = false;
      const bool good = found.failure.empty();
      if (good) entry->addresses = std::move(found.addresses);
      entry->failure = std::move(found.failure);
      entry->fresh_until = Clock::now() + (good ? ttl : kFailureTtl);
      for (Timer* waiter : entry->waiters) waiter->cancel();
    });
    --g_in_flight;
  });
}

Task<IoResult<void>> Resolver::settled(std::shared_ptr<Entry> entry, TimePoint due) {
  Timer timer(io_.get_executor(), due);
  struct Registered {
    Entry& entry;
    Timer* timer;
    ~Registered() { std::erase(entry.waiters, timer); }
  } registered{*entry, &timer};
  entry->waiters.push_back(&timer);
  auto [error] = co_await timer.async_wait(net::as_tuple(net::deferred));
  if (!error) co_return std::unexpected(IoError{IoFault::kTimeout, "name look-up timed out"});
  if (entry->looking_up) co_return std::unexpected(IoError{IoFault::kCancelled, "cancelled"});
  co_return IoResult<void>{};
}

Task<IoResult<std::vector<TcpEndpoint>>> Resolver::resolve(const std::string& host, std::uint16_t port, TimePoint due) {
  boost::system::error_code not_literal;
  if (auto address = net::ip::make_address(host, not_literal); !not_literal) {
    co_return std::vector<TcpEndpoint>{{address, port}};
  }
  auto& slot = entries_[host];
  if (!slot) slot = std::make_shared<Entry>();
  auto entry = slot;
  if (Clock::now() >= entry->fresh_until && !entry->looking_up) look_up(host, entry);
  if (entry->addresses.empty() && entry->looking_up) {
    if (auto over = co_await settled(entry, due); !over) co_return std::unexpected(std::move(over.error()));
  }
  if (entry->addresses.empty()) co_return std::unexpected(IoError{IoFault::kOther, host + ": " + entry->failure});
  co_return with_port(entry->addresses, port);
}

}  // namespace sluice::http
