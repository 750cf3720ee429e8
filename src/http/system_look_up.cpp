#include <netdb.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "sluice/http/client.hpp"

namespace sluice::http {
namespace {

// Without the scope of an IPv6 address: only link-local ones have one, and those are refused anyway.
std::optional<IpAddress> address_of(const sockaddr& from) {
  IpAddress address;
  if (from.sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const std::uint8_t*>(&reinterpret_cast<const sockaddr_in&>(from).sin_addr);
    address.bytes[10] = address.bytes[11] = 0xFF;
    std::copy_n(v4, 4, address.bytes.begin() + 12);
    return address;
  }
  if (from.sa_family != AF_INET6) return std::nullopt;
  std::ranges::copy(reinterpret_cast<const sockaddr_in6&>(from).sin6_addr.s6_addr, address.bytes.begin());
  return address;
}

}  // namespace

LookUpResult system_look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  if (int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &list); failed != 0) {
    return std::unexpected(::gai_strerror(failed));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  std::vector<IpAddress> addresses;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    if (auto address = address_of(*at->ai_addr)) addresses.push_back(*address);
  }
  return addresses;
}

}  // namespace sluice::http
