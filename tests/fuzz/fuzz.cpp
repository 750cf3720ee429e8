#include "fuzz/fuzz.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <utility>

namespace sluice::fuzz {
namespace {

// FNV-1a, then xorshift: any changed byte moves the cuts.
std::uint64_t hash_of(std::string_view bytes) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash | 1;
}

std::uint64_t next(std::uint64_t& state) {
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

}  // namespace

void Input::each_piece(const std::function<bool(std::span<char>)>& take) const {
  // One block for all pieces, each at its end: asking for memory is what would cost most here.
  std::size_t largest = 0, begin = 0;
  each_end([&](std::size_t end) { return largest = std::max(largest, end - std::exchange(begin, end)), true; });
  std::vector<char> block(largest);
  begin = 0;
  each_end([&](std::size_t end) {
    const std::string_view from = bytes.substr(begin, end - std::exchange(begin, end));
    const std::span<char> piece = std::span(block).last(from.size());
    std::ranges::copy(from, piece.begin());
    const bool more = take(piece);
    std::ranges::fill(piece, '\xDD');
    return more;
  });
}

void Input::each_end(const std::function<bool(std::size_t)>& take) const {
  std::size_t begin = 0;
  for (const std::size_t end : cuts) {
    if (end != std::exchange(begin, end) && !take(end)) return;
  }
  if (begin != bytes.size()) take(bytes.size());
}

Input byte_by_byte(std::string_view bytes) {
  Input input{bytes, std::vector<std::size_t>(bytes.size())};
  std::iota(input.cuts.begin(), input.cuts.end(), 0U);
  return input;
}

Input cut_by_hash(std::string_view bytes) {
  Input input{bytes};
  std::uint64_t state = hash_of(bytes);
  for (std::uint64_t left = next(state) % 8; left > 0; --left) input.cuts.push_back(next(state) % (bytes.size() + 1));
  std::ranges::sort(input.cuts);
  return input;
}

void require(bool kept, std::string_view promise, std::source_location where) {
  if (kept) return;
  std::fprintf(stderr, "%s:%u: broken promise: %.*s\n", where.file_name(), static_cast<unsigned>(where.line()),
               static_cast<int>(promise.size()), promise.data());
  std::abort();
}

}  // namespace sluice::fuzz
