#pragma once
// Lines of files that may be compressed, larger than memory, and cut off at their ends.

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

namespace sluice::report {

struct Read {
  std::uint64_t lines = 0;
  std::uint64_t torn = 0;  // last lines without an end: the gateway was killed, or is just writing them
};

// Calls `take` with each whole line, without its end, and `progress` with the bytes of the file that have been read,
// for each MiB of text; once it says false, reading is given up. "-": standard input. The error says what the system
// says.
std::expected<Read, std::string> read_lines(const std::string& path, const std::function<void(std::string_view)>& take,
                                            const std::function<bool(std::uint64_t)>& progress);

}  // namespace sluice::report
