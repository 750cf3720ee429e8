#include "config/sections.hpp"
#include "config/values.hpp"

namespace sluice::config {
namespace {

constexpr std::uint64_t kLeastQueue = 256 * kKiB;  // a few batches of a worker
constexpr std::uint64_t kLeastFile = 64 * kKiB;
constexpr std::size_t kMostKept = 1'000'000;

// 0 switches a limit off; what is smaller than `least` is a slip.
template <class T>
Converter<T> zero_or(Converter<T> convert, T least, std::string advice) {
  return [=](const Value& value) -> std::optional<T> {
    auto number = convert(value);
    if (!number || *number == T{} || *number >= least) return number;
    value.fail(value.shown() + " is too little; write " + advice + " for never");
    return std::nullopt;
  };
}

void read_rotate(const Value& section, Rotate& rotate) {
  MapReader map(section);
  map.read("size", rotate.size, zero_or<std::size_t>(size(0, 1024 * kGiB), kLeastFile, "64KiB or more, or 0B"));
  map.read("age", rotate.age, zero_or<milliseconds>(duration(0ms, 365 * kDay), 1s, "1s or more, or 0s"));
  map.read("keep", rotate.keep, count(1, kMostKept));
}

}  // namespace

void read_dns(const Value& section, Dns& dns) {
  MapReader map(section);
  map.read("ttl", dns.ttl, duration(1ms, kDay));
}

void read_trace(const Value& section, Trace& trace) {
  MapReader map(section);
  map.read("path", trace.path, read_text);
  map.read("queue_bytes", trace.queue_bytes, size(kLeastQueue, 16 * kGiB));
  map.section("rotate", [&](const Value& value) { read_rotate(value, trace.rotate); });
}

void read_log(const Value& section, Log& log) {
  MapReader map(section);
  map.read("level", log.level,
           choice<std::string>({{"error", "error"}, {"warn", "warn"}, {"info", "info"}, {"debug", "debug"}}));
  map.read("requests", log.requests, read_flag);
  map.read("queue_bytes", log.queue_bytes, size(kLeastQueue, 16 * kGiB));
}

}  // namespace sluice::config
