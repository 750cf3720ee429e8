#include "routing/stable_hash.hpp"

#include "api/json_hash.hpp"

namespace sluice::routing {
namespace {

// Never to be changed: everybody would be on another side.
constexpr std::uint64_t kFirst = 0x51c1'7e5a'0b3d'f926U;
constexpr std::uint64_t kSecond = 0x2d99'84c6'e7f0'1ab3U;

}  // namespace

std::uint64_t stable_hash(std::string_view salt, std::string_view id) {
  const std::uint64_t key = json::KeyedHash(kFirst, kSecond)(salt);
  return json::KeyedHash(key, kSecond)(id);
}

double stable_percent(std::string_view salt, std::string_view id) {
  constexpr unsigned kBits = 44;  // few enough for the product to stay below 100
  return static_cast<double>(stable_hash(salt, id) >> (64 - kBits)) / static_cast<double>(1ULL << kBits) * 100;
}

}  // namespace sluice::routing
