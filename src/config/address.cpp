#include "config/address.hpp"

#include <arpa/inet.h>

#include <optional>

#include "config/values.hpp"

namespace sluice::config {
namespace {

std::unexpected<std::string> bad_host(std::string_view why) {
  return std::unexpected(std::string(why) + "; expected an IP address or localhost, e.g. 127.0.0.1:8080 or [::1]:8080");
}

std::unexpected<std::string> no_host(std::string_view port) {
  std::string tail = ":" + (port.size() <= 5 && parse_whole(port) ? std::string(port) : "8080");
  return std::unexpected("no host; write 0.0.0.0" + tail + " for every interface or 127.0.0.1" + tail +
                         " for this machine alone");
}

// One spelling per IPv6 address, so that addresses can be compared.
std::optional<std::string> canonical_ipv6(const std::string& host) {
  in6_addr address{};
  char text[INET6_ADDRSTRLEN];
  if (inet_pton(AF_INET6, host.c_str(), &address) != 1) return std::nullopt;
  return inet_ntop(AF_INET6, &address, text, sizeof text);
}

std::expected<std::string, std::string> parse_host(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) {
    auto address = canonical_ipv6(std::string(host.substr(1, host.size() - 2)));
    if (address) return *address;
    return bad_host("not an IPv6 address between [ and ]");
  }
  std::string name(host);
  if (name == "localhost" || is_ipv4(name)) return name;
  return bad_host(host.find(':') != host.npos ? "an IPv6 address needs [ and ]" : "not an address");
}

bool is_wildcard(const std::string& host) { return host == "0.0.0.0" || host == "::"; }

}  // namespace

std::expected<Address, std::string> parse_address(std::string_view text) {
  auto colon = text.rfind(':');
  if (colon == text.npos || text.ends_with(']')) return bad_host("no port");
  std::string_view port_text = text.substr(colon + 1);
  if (colon == 0) return no_host(port_text);
  auto host = parse_host(text.substr(0, colon));
  if (!host) return std::unexpected(host.error());
  auto port = parse_whole(port_text);
  if (!port || *port > 65535) return std::unexpected("not a port; expected 0 to 65535");
  return Address{*host, static_cast<std::uint16_t>(*port)};
}

bool is_ipv4(const std::string& host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || (is_ipv4(host) && host.starts_with("127."));
}

bool overlap(const Address& a, const Address& b) {
  if (a.port != b.port || a.port == 0) return false;
  bool local_name = (a.host == "localhost" && is_loopback(b.host)) || (b.host == "localhost" && is_loopback(a.host));
  return a.host == b.host || is_wildcard(a.host) || is_wildcard(b.host) || local_name;
}

std::string to_string(const Address& address) {
  bool ipv6 = address.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

}  // namespace sluice::config
