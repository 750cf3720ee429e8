// Where the name of an upstream may lead.

#include <algorithm>
#include <array>

#include "config/sections.hpp"

namespace sluice::config {
namespace {

// Domains that no public name server answers for: RFC 6762, ICANN's .internal, home routers, Kubernetes.
constexpr std::array<std::string_view, 5> kInside = {".cluster.local", ".local", ".internal", ".lan", ".svc"};

// What shows that a host's name leads inside, as the middle of a sentence; empty: nothing does. The name itself may
// have come from the environment and is not repeated.
std::string inside_mark(const std::string& host) {
  if (host == "localhost" || parse_ip(host)) return {};
  if (host.find('.') == host.npos) return "without a dot";
  const auto ends = std::ranges::find_if(kInside, [&](std::string_view domain) { return host.ends_with(domain); });
  return ends == kInside.end() ? std::string() : "that end in " + std::string(*ends);
}

}  // namespace

void read_allow_addresses(const Value& list, std::vector<IpNetwork>& allowed) {
  for (const Value& item : read_items(list)) {
    const auto text = read_text(item);
    if (!text) continue;
    if (const auto network = parse_network(*text)) {
      allowed.push_back(*network);
    } else {
      item.fail(item.shown() + " is no network; write 10.0.0.0/8, fd00::/8 or one address");
    }
  }
}

void note_inside_name(const Value& value, const Provider& provider) {
  const std::string mark = inside_mark(provider.base_url.host);
  if (mark.empty() || !provider.allow_addresses.empty()) return;
  value.scope->report.note("provider " + provider.name + ": names " + mark +
                           " usually lead to private addresses, which are refused until they are listed, e.g. "
                           "allow_addresses: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16]");
}

}  // namespace sluice::config
