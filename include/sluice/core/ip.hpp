#pragma once
// IP addresses, and what they lead to. After IANA's special-purpose address registries (RFC 6890) and the addresses at
// which clouds serve their machines' credentials. All functions are pure.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

// In network order; IPv4 stands as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2).
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  bool operator==(const IpAddress&) const = default;
};
std::optional<IpAddress> parse_ip(std::string_view text);  // no brackets, no zone, no short forms such as 127.1
std::string to_string(const IpAddress& address);

// The IPv4 address inside one that carries it: IPv4-mapped and -compatible, NAT64 (RFC 6052) and 6to4 (RFC 3056). Any
// other address is its own.
IpAddress innermost(const IpAddress& address);

enum class AddressKind : std::uint8_t {
  kPublic,
  kLoopback,
  kPrivate,    // RFC 1918, shared (100.64.0.0/10), benchmarks, fc00::/7, fec0::/10
  kReserved,   // documentation, Teredo, not assigned
  kLinkLocal,  // 169.254.0.0/16, fe80::/10
  kMetadata,   // whoever can ask there gets the machine's credentials
  kUnusable    // unspecified, multicast, broadcast
};
inline constexpr std::size_t kAddressKinds = 7;
std::string_view to_string(AddressKind kind);  // "public", "loopback", … "link_local": labels
// Of the innermost address.
AddressKind kind_of(const IpAddress& address);
// Whatever a configuration says.
bool is_forbidden(AddressKind kind);

struct IpNetwork {
  IpAddress first;
  int bits = 128;  // of the 128 that all its addresses share
  bool contains(const IpAddress& address) const;
  IpAddress last() const;
  bool operator==(const IpNetwork&) const = default;
};
// "10.0.0.0/8", "fd00::/8" or one address. Bits behind the prefix must be zero.
std::optional<IpNetwork> parse_network(std::string_view text);

}  // namespace sluice
