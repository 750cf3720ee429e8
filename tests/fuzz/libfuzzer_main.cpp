// libFuzzer's way in; main() is its own.

#include <cstdint>

#include "fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  sluice::fuzz::test(sluice::fuzz::cut_by_hash(bytes));
  return 0;
}
