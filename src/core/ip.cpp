#include "sluice/core/ip.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <span>
#include <vector>

namespace sluice {
namespace {

constexpr int kIpv4Bits = 96;  // in front of an IPv4 address

struct Row {
  const char* network;
  AddressKind kind;
};
using enum AddressKind;

// The first row that holds an address is it.
constexpr Row kIpv4[] = {
    {"169.254.169.254", kMetadata},                               // AWS, Azure, GCP and most others
    {"169.254.170.2", kMetadata},                                 // AWS, credentials of containers
    {"169.254.170.23", kMetadata},                                // the same, EKS
    {"100.100.100.200", kMetadata},                               // Alibaba
    {"168.63.129.16", kMetadata},                                 // Azure's wire server
    {"192.0.0.192", kMetadata},                                   // Oracle
    {"0.0.0.0/8", kUnusable},                                     // RFC 791: this network; 0.0.0.0 reaches this machine
    {"10.0.0.0/8", kPrivate},       {"100.64.0.0/10", kPrivate},  // RFC 6598
    {"127.0.0.0/8", kLoopback},     {"169.254.0.0/16", kLinkLocal},
    {"172.16.0.0/12", kPrivate},    {"192.0.0.0/24", kReserved},
    {"192.0.2.0/24", kReserved},  // documentation, as the next two of its kind
    {"192.88.99.0/24", kReserved},  {"192.168.0.0/16", kPrivate},
    {"198.18.0.0/15", kPrivate},  // RFC 2544; some machines' virtual networks
    {"198.51.100.0/24", kReserved}, {"203.0.113.0/24", kReserved},
    {"224.0.0.0/4", kUnusable},     {"255.255.255.255", kUnusable},
    {"240.0.0.0/4", kReserved},     {"0.0.0.0/0", kPublic},
};
constexpr Row kIpv6[] = {
    {"fd00:ec2::254", kMetadata},       // AWS
    {"fd00:ec2::23", kMetadata},        // AWS, EKS
    {"fd20:ce::254", kMetadata},        // GCP
    {"fd00:42::42", kMetadata},         // Scaleway
    {"fd00:c1::a9fe:a9fe", kMetadata},  // Oracle
    {"::", kUnusable},
    {"::1", kLoopback},
    {"fc00::/7", kPrivate},
    {"fec0::/10", kPrivate},  // site-local, RFC 3879
    {"fe80::/10", kLinkLocal},
    {"ff00::/8", kUnusable},
    {"2001::/23", kReserved},      // Teredo, ORCHID and others, RFC 2928
    {"2001:db8::/32", kReserved},  // documentation, as the next
    {"3fff::/20", kReserved},
    {"2000::/3", kPublic},
    {"::/0", kReserved},  // nothing else is assigned
};

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

// Prefixes of 96 bits in front of an IPv4 address.
constexpr std::array<std::uint8_t, 12> kCarriers[] = {
    kMapped,
    {},                                             // IPv4-compatible, RFC 4291 section 2.5.5.1
    {0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0},     // IPv4-translated, RFC 2765
    {0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0},  // NAT64, RFC 6052
};

bool is_ipv4(const IpAddress& address) { return std::ranges::equal(std::span(address.bytes).first<12>(), kMapped); }

IpAddress ipv4(std::span<const std::uint8_t, 4> bytes) {
  IpAddress address;
  std::ranges::copy(kMapped, address.bytes.begin());
  std::ranges::copy(bytes, address.bytes.begin() + 12);
  return address;
}

bool is_unspecified_or_loopback(const IpAddress& address) {
  return std::ranges::all_of(std::span(address.bytes).first<15>(), [](std::uint8_t byte) { return byte == 0; }) &&
         address.bytes[15] <= 1;
}

// What of byte number `index` lies behind the first `bits` bits.
std::uint8_t behind(int bits, int index) {
  const int own = std::clamp(bits - index * 8, 0, 8);
  return static_cast<std::uint8_t>(0xFF >> own);
}

struct Known {
  IpNetwork network;
  AddressKind kind;
};
std::vector<Known> known(std::span<const Row> rows) {
  std::vector<Known> all;
  for (const Row& row : rows) all.push_back({*parse_network(row.network), row.kind});
  return all;
}

}  // namespace

std::optional<IpAddress> parse_ip(std::string_view text) {
  const std::string copy(text);
  if (copy.find('\0') != std::string::npos) return std::nullopt;
  IpAddress address;
  if (::inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) return address;
  std::array<std::uint8_t, 4> bytes;
  if (::inet_pton(AF_INET, copy.c_str(), bytes.data()) == 1) return ipv4(bytes);
  return std::nullopt;
}

std::string to_string(const IpAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool v4 = is_ipv4(address);
  ::inet_ntop(v4 ? AF_INET : AF_INET6, address.bytes.data() + (v4 ? 12 : 0), text.data(), text.size());
  return text.data();
}

IpAddress innermost(const IpAddress& address) {
  const std::span<const std::uint8_t, 16> bytes(address.bytes);
  if (bytes[0] == 0x20 && bytes[1] == 0x02) return ipv4(bytes.subspan<2, 4>());  // 6to4
  const bool carrier =
      std::ranges::any_of(kCarriers, [&](const auto& prefix) { return std::ranges::equal(bytes.first<12>(), prefix); });
  // :: and ::1 look IPv4-compatible and are not.
  return carrier && !is_unspecified_or_loopback(address) ? ipv4(bytes.last<4>()) : address;
}

std::string_view to_string(AddressKind kind) {
  constexpr std::array<std::string_view, kAddressKinds> kKinds = {"public",     "loopback", "private", "reserved",
                                                                  "link_local", "metadata", "unusable"};
  return kKinds[static_cast<std::size_t>(kind)];
}

AddressKind kind_of(const IpAddress& address) {
  static const auto* const v4 = new std::vector(known(kIpv4));
  static const auto* const v6 = new std::vector(known(kIpv6));
  const IpAddress inner = innermost(address);
  const auto& rows = is_ipv4(inner) ? *v4 : *v6;
  return std::ranges::find_if(rows, [&](const Known& row) { return row.network.contains(inner); })->kind;
}

bool is_forbidden(AddressKind kind) { return kind == kLinkLocal || kind == kMetadata || kind == kUnusable; }

bool IpNetwork::contains(const IpAddress& address) const {
  for (int i = 0; i < 16; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (((first.bytes[at] ^ address.bytes[at]) & ~behind(bits, i)) != 0) return false;
  }
  return true;
}

IpAddress IpNetwork::last() const {
  IpAddress address = first;
  for (int i = 0; i < 16; ++i) address.bytes[static_cast<std::size_t>(i)] |= behind(bits, i);
  return address;
}

std::optional<IpNetwork> parse_network(std::string_view text) {
  const auto slash = std::min(text.find('/'), text.size());
  const auto first = parse_ip(text.substr(0, slash));
  if (!first) return std::nullopt;
  IpNetwork network{*first, 128};
  if (slash < text.size()) {
    const auto digits = text.substr(slash + 1);
    const int before = text.substr(0, slash).find(':') == text.npos ? kIpv4Bits : 0;
    int bits = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    const bool number = error == std::errc() && end == digits.data() + digits.size() && digits.front() != '-';
    if (!number || bits + before > 128) return std::nullopt;
    network.bits = bits + before;
  }
  for (int i = 0; i < 16; ++i) {
    if ((network.first.bytes[static_cast<std::size_t>(i)] & behind(network.bits, i)) != 0) return std::nullopt;
  }
  return network;
}

}  // namespace sluice
