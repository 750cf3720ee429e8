#include "http/address_policy.hpp"

#include <algorithm>

namespace sluice::http {

std::string refusal_of(const boost::asio::ip::address& address, const std::string& host,
                       std::span<const IpNetwork> allowed) {
  const std::string text = address.to_string();
  const auto ip = parse_ip(text.substr(0, text.find('%')));  // without the zone
  if (!ip) return text + " is no address";
  const AddressKind kind = kind_of(*ip);
  const std::string is = host + " leads to " + text + ", which is " + std::string(to_string(kind));
  if (is_forbidden(kind)) return is + ": never an upstream";
  if (kind == AddressKind::kPublic || parse_ip(host)) return {};
  if (host == "localhost" && kind == AddressKind::kLoopback) return {};
  if (std::ranges::any_of(allowed, [&](const IpNetwork& network) { return network.contains(*ip); })) return {};
  return is + "; the provider's allow_addresses: [" + text + "] would allow it";
}

}  // namespace sluice::http
