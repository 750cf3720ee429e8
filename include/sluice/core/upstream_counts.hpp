#pragma once
// What an upstream client counts. Plain numbers of one worker, like all its others: touched on its thread only.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sluice/core/ip.hpp"

namespace sluice {

// How the look-up of a name ended. Each counts once: as timed out as soon as a request has given up waiting for it,
// whatever it brings later; one that nobody waits for, since an older answer serves, counts when it ends.
enum class LookUpEnd : std::uint8_t { kOk, kFailed, kTimedOut };
inline constexpr std::array<std::string_view, 3> kLookUpEndNames = {"ok", "failed", "timed_out"};  // labels

struct UpstreamCounts {
  std::uint64_t connections = 0;                       // new ones begun, whatever became of them
  std::array<std::uint64_t, kAddressKinds> refused{};  // by AddressKind: addresses that must not be connected to
  std::array<std::uint64_t, kLookUpEndNames.size()> look_ups{};  // by LookUpEnd

  std::uint64_t& of(LookUpEnd end) { return look_ups[static_cast<std::size_t>(end)]; }
  std::uint64_t& of(AddressKind kind) { return refused[static_cast<std::size_t>(kind)]; }
  void add(const UpstreamCounts& other) {
    connections += other.connections;
    for (std::size_t i = 0; i < refused.size(); ++i) refused[i] += other.refused[i];
    for (std::size_t i = 0; i < look_ups.size(); ++i) look_ups[i] += other.look_ups[i];
  }
  bool operator==(const UpstreamCounts&) const = default;
};

}  // namespace sluice
