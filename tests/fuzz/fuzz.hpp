#pragma once
// What a fuzz target is: a file that defines test(). Its input is what would come over the wire or stand in a file and
// nothing else, so that a file of the corpus can be read, written by hand and cut anywhere.

#include <cstddef>
#include <functional>
#include <source_location>
#include <span>
#include <string_view>
#include <vector>

namespace sluice::fuzz {

struct Input {
  std::string_view bytes;
  std::vector<std::size_t> cuts{};  // ascending: where the bytes are cut when they arrive in pieces

  // Hands out piece after piece, until `take` returns false. A piece lies at the end of a block of memory and is
  // overwritten after the call: whoever looks beyond it, or keeps a view of it, is found out. No piece is empty.
  void each_piece(const std::function<bool(std::span<char>)>& take) const;
  // The same for readers of all that has come so far: where each piece ends.
  void each_end(const std::function<bool(std::size_t)>& take) const;
};

// The same bytes, one at a time.
Input byte_by_byte(std::string_view bytes);
// Cut at up to seven places that depend on nothing but the bytes.
Input cut_by_hash(std::string_view bytes);

// Defined by the target. Returns, whatever the bytes are, unless one of its promises is broken.
void test(const Input& input);

// A promise: ends the process with a message if it is not kept.
void require(bool kept, std::string_view promise, std::source_location where = std::source_location::current());

}  // namespace sluice::fuzz
