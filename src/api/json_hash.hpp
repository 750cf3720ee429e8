#pragma once
#include <cstdint>
#include <string_view>

namespace sluice::json {

// SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF") under a key drawn once per process: who cannot
// see the key cannot write texts whose names collide.
class KeyedHash {
 public:
  KeyedHash(std::uint64_t k0, std::uint64_t k1) : k0_(k0), k1_(k1) {}
  std::uint64_t operator()(std::string_view text) const;
  static const KeyedHash& of_this_process();

 private:
  std::uint64_t k0_;
  std::uint64_t k1_;
};

}  // namespace sluice::json
