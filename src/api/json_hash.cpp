#include "api/json_hash.hpp"

#include <bit>
#include <cstring>
#include <random>

namespace sluice::json {
namespace {

struct SipState {
  std::uint64_t a, b, c, d;

  void round() {
    a += b;
    b = std::rotl(b, 13) ^ a;
    a = std::rotl(a, 32);
    c += d;
    d = std::rotl(d, 16) ^ c;
    a += d;
    d = std::rotl(d, 21) ^ a;
    c += b;
    b = std::rotl(b, 17) ^ c;
    c = std::rotl(c, 32);
  }
  void take(std::uint64_t word) {
    d ^= word;
    round();
    a ^= word;
  }
};

std::uint64_t word_at(const char* p, std::size_t bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, p, bytes);
  return word;
}

std::uint64_t random_word() {
  std::random_device source;
  return std::uint64_t{source()} << 32 | source();
}

}  // namespace

std::uint64_t KeyedHash::operator()(std::string_view text) const {
  SipState state{k0_ ^ 0x736f6d6570736575U, k1_ ^ 0x646f72616e646f6dU, k0_ ^ 0x6c7967656e657261U,
                 k1_ ^ 0x7465646279746573U};
  const char* p = text.data();
  const char* const end = p + text.size();
  for (; end - p >= 8; p += 8) state.take(word_at(p, 8));
  state.take(word_at(p, static_cast<std::size_t>(end - p)) | std::uint64_t{text.size()} << 56);
  state.c ^= 0xFF;
  for (int i = 0; i < 3; ++i) state.round();
  return state.a ^ state.b ^ state.c ^ state.d;
}

const KeyedHash& KeyedHash::of_this_process() {
  static const KeyedHash kHash(random_word(), random_word());
  return kHash;
}

}  // namespace sluice::json
