#pragma once
// Hashes by which equal texts can be told from different ones, and which say nothing about the texts: short texts could
// be guessed from a hash that anybody can make. Immutable; any thread.

#include <string>
#include <string_view>

#include "sluice/core/secret.hpp"

namespace sluice {

class ContentHash {
 public:
  // An empty secret stands for one that this process has drawn, and nobody else knows: then hashes of one process can
  // be compared, and no others.
  explicit ContentHash(const Secret& secret);

  // The first 128 bits of HMAC-SHA-256, as 32 hexadecimal digits.
  std::string operator()(std::string_view text) const;

 private:
  Secret key_;
};

}  // namespace sluice
