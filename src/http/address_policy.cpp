#include "http/address_policy.hpp"

#include <algorithm>
#include <optional>

namespace sluice::http {
namespace {

bool is_allowed(const Origin& origin, const IpAddress& address, AddressKind kind) {
  if (is_forbidden(kind)) return false;
  if (kind == AddressKind::kPublic || parse_ip(origin.host)) return true;
  if (origin.host == "localhost" && kind == AddressKind::kLoopback) return true;
  const IpAddress inner = innermost(address);
  return std::ranges::any_of(origin.allowed, [&](const IpNetwork& network) { return network.contains(inner); });
}

std::string refusal(const Origin& origin, const IpAddress& address, AddressKind kind) {
  const std::string is = origin.host + " leads to " + to_string(address) + ", which is " + std::string(to_string(kind));
  if (is_forbidden(kind)) return is + ": never an upstream";
  return is + "; the provider's allow_addresses: [\"" + to_string(innermost(address)) + "\"] would allow it";
}

}  // namespace

IoResult<void> keep_allowed(const Origin& origin, std::vector<IpAddress>& addresses, UpstreamCounts& counts) {
  std::optional<std::string> why;
  std::erase_if(addresses, [&](const IpAddress& address) {
    const AddressKind kind = kind_of(address);
    if (is_allowed(origin, address, kind)) return false;
    ++counts.of(kind);
    if (!why) why = refusal(origin, address, kind);
    return true;
  });
  if (!addresses.empty() || !why) return {};
  return std::unexpected(IoError{IoFault::kRefused, std::move(*why)});
}

}  // namespace sluice::http
