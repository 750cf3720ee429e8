#include "sluice/core/ids.hpp"

#include <cstdint>
#include <random>

namespace sluice {
namespace {

std::mt19937_64 seeded() {
  std::random_device source;
  std::seed_seq seed{source(), source(), source(), source()};
  return std::mt19937_64(seed);
}

}  // namespace

std::uint64_t random_id() {
  thread_local std::mt19937_64 generator = seeded();
  return generator();
}

void append_hex(std::string& out, std::uint64_t bits, int digits) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += kDigits[bits >> shift & 15];
}

std::string new_request_id() {
  std::string id;
  id.reserve(28);
  id += "req_";
  append_hex(id, random_id(), 16);
  append_hex(id, random_id(), 8);
  return id;
}

}  // namespace sluice
