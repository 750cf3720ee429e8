#pragma once
// Addresses that Redis names: Sentinel's answer, Cluster's map and its redirections. Pure.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "sluice/redis/reply.hpp"
#include "sluice/redis/settings.hpp"

namespace sluice::redis {

inline constexpr unsigned kSlots = 16384;

// The slot of a key, which is that of its hash tag if it has one (Redis cluster specification, "Hash tags").
unsigned slot_of(std::string_view key);

// Sentinel's answer to get-master-addr-by-name; nothing if it does not know that master, or says something else.
std::optional<Address> master_in(const Reply& reply);

// CLUSTER SLOTS: who serves `slot`, and all masters. A node that does not know its own host is `asked`.
struct SlotMap {
  std::optional<Address> owner;
  std::vector<Address> masters;
};
SlotMap read_slots(const Reply& reply, unsigned slot, const Address& asked);

// "MOVED 3999 127.0.0.1:6381" and "ASK …", from a node at `asked`.
enum class RedirectKind : std::uint8_t { kMoved, kAsk };
struct Redirect {
  RedirectKind kind;
  Address to;
};
std::optional<Redirect> redirect_in(const Reply& error, const Address& asked);

}  // namespace sluice::redis
