#pragma once
// Durations, sizes and rates as an admin writes them: a whole number and a unit, nothing between them. The error is a
// sentence for the admin; it never repeats the input, which may come from the environment.

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace sluice::config {

// ms, s, m or min, h, d: "250ms", "10min". Refuses what milliseconds cannot hold.
std::expected<std::chrono::milliseconds, std::string> parse_duration(std::string_view text);

// B, KB, MB, GB (powers of 1000), KiB, MiB, GiB (powers of 1024): "512B", "64MiB". Refuses more than 2^63-1 bytes.
std::expected<std::uint64_t, std::string> parse_size(std::string_view text);

// A size and "/s", up to MiB: "1KiB/s". Bytes per second; refuses what parse_size() does.
std::expected<std::uint64_t, std::string> parse_rate(std::string_view text);

// The shortest spelling the parsers read back as the same value: "90s", "2h", "64KiB".
std::string format_duration(std::chrono::milliseconds value);
std::string format_size(std::uint64_t bytes);
std::string format_rate(std::uint64_t bytes_per_second);

}  // namespace sluice::config
