#include "redis/nodes.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sluice::redis {
namespace {

constexpr std::size_t kMaxHost = 255;

// CRC-16/XMODEM: polynomial 0x1021, beginning with 0.
constexpr auto kCrcTable = [] {
  std::array<std::uint16_t, 256> table{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    unsigned crc = byte << 8;
    for (int bit = 0; bit < 8; ++bit) crc = ((crc << 1) ^ ((crc & 0x8000) != 0 ? 0x1021U : 0U)) & 0xffff;
    table[byte] = static_cast<std::uint16_t>(crc);
  }
  return table;
}();

std::string_view tag_of(std::string_view key) {
  const auto open = key.find('{');
  if (open == std::string_view::npos) return key;
  const auto close = key.find('}', open + 1);
  if (close == std::string_view::npos || close == open + 1) return key;
  return key.substr(open + 1, close - open - 1);
}

std::optional<std::uint16_t> port_in(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

// A node of the map: host, port, and more that is of no interest. The host is missing while the node does not know it.
std::optional<Address> node_in(const Reply& node, const Address& asked) {
  if (!node.is_array() || node.items.size() < 2 || !node.items[1].is_integer()) return std::nullopt;
  const Reply& host = node.items[0];
  const auto port = node.items[1].integer;
  if (port < 1 || port > 65535 || host.text.size() > kMaxHost) return std::nullopt;
  if (!host.is_nil() && !host.is_string()) return std::nullopt;
  const bool unknown = host.text.empty() || host.text == "?";
  return Address{unknown ? asked.host : host.text, static_cast<std::uint16_t>(port)};
}

bool covers(const Reply& range, unsigned slot) {
  const Reply& first = range.items[0];
  const Reply& last = range.items[1];
  return first.is_integer() && last.is_integer() && first.integer <= slot && slot <= last.integer;
}

}  // namespace

unsigned slot_of(std::string_view key) {
  unsigned crc = 0;
  for (const char c : tag_of(key))
    crc = ((crc << 8) ^ kCrcTable[((crc >> 8) ^ static_cast<unsigned char>(c)) & 0xff]) & 0xffff;
  return crc % kSlots;
}

std::optional<Address> master_in(const Reply& reply) {
  if (!reply.is_array() || reply.items.size() != 2) return std::nullopt;
  const Reply& host = reply.items[0];
  if (!host.is_string() || host.text.empty() || host.text.size() > kMaxHost) return std::nullopt;
  const auto port = port_in(reply.items[1].text);
  if (!port) return std::nullopt;
  return Address{host.text, *port};
}

SlotMap read_slots(const Reply& reply, unsigned slot, const Address& asked) {
  SlotMap map;
  for (const Reply& range : reply.items) {
    if (!range.is_array() || range.items.size() < 3) continue;
    const auto master = node_in(range.items[2], asked);
    if (!master) continue;
    if (std::ranges::find(map.masters, *master) == map.masters.end()) map.masters.push_back(*master);
    if (covers(range, slot)) map.owner = master;
  }
  return map;
}

std::optional<Redirect> redirect_in(const Reply& error, const Address& asked) {
  const std::string_view code = error.error_code();
  if (code != "MOVED" && code != "ASK") return std::nullopt;
  const std::string_view text = error.text;
  const auto where = text.substr(text.rfind(' ') + 1);
  const auto colon = where.rfind(':');  // an IPv6 address has more of them
  if (colon == std::string_view::npos || colon > kMaxHost) return std::nullopt;
  const auto port = port_in(where.substr(colon + 1));
  if (!port) return std::nullopt;
  const auto host = where.substr(0, colon);
  const bool unknown = host.empty() || host == "?";
  return Redirect{code == "ASK" ? RedirectKind::kAsk : RedirectKind::kMoved,
                  {unknown ? asked.host : std::string(host), *port}};
}

}  // namespace sluice::redis
