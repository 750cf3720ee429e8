#pragma once
// The chunked transfer coding (RFC 9112 section 7.1), decoding side, sans-I/O, for both sides of the gateway.
// Extensions and trailers are checked, counted and dropped.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

namespace sluice::http {

struct ChunkLimits {
  std::uint64_t payload = UINT64_MAX;  // all chunks together
  std::size_t extensions = 8 * 1024;   // all extensions together
  std::size_t trailers = 8 * 1024;
  std::uint64_t free_overhead = UINT64_MAX;  // framing bytes allowed beyond as many as there is payload
};

class ChunkDecoder {
 public:
  enum class Fault : std::uint8_t { kMalformed, kOverhead, kTooLarge };
  struct Step {
    std::size_t consumed = 0;  // of the input; less than all of it only when done
    std::size_t payload = 0;   // bytes, moved to the front of the input
    bool done = false;         // the last chunk and its trailers have been read
  };

  explicit ChunkDecoder(ChunkLimits limits = {}) : limits_(limits) {}

  // Decodes in place. After a fault or when done, call no more.
  std::expected<Step, Fault> decode(std::span<char> bytes);

 private:
  enum class State : std::uint8_t {
    kSize,
    kExtension,
    kQuoted,
    kQuotedPair,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailer,
    kTrailerLf
  };
  std::expected<void, Fault> control(char c);
  std::expected<void, Fault> size_digit(char c);
  std::expected<void, Fault> end_of_size_line();
  std::expected<void, Fault> end_of_trailer_line();

  ChunkLimits limits_;
  State state_ = State::kSize;
  int digits_ = 0;
  std::uint64_t remaining_ = 0;
  std::uint64_t total_ = 0;
  std::uint64_t overhead_ = 0;
  std::size_t extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::string trailer_line_;
  bool done_ = false;
};

}  // namespace sluice::http
