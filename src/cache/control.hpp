#pragma once
// What a request says about the cache: Cache-Control (RFC 9111 section 5.2.1), x-sluice-cache-ttl and
// x-sluice-cache-tags. Pure; any thread.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "sluice/core/error.hpp"
#include "sluice/http/head.hpp"

namespace sluice::cache {

inline constexpr std::size_t kMostTags = 16;
inline constexpr std::size_t kMostTagBytes = 64;

struct Control {
  bool no_store = false;        // neither given nor kept
  bool no_cache = false;        // not given, but kept
  bool only_if_cached = false;  // given, or 504
  std::optional<std::chrono::seconds> max_age{};
  std::optional<std::chrono::milliseconds> ttl{};
  std::vector<std::string> tags{};
  bool operator==(const Control&) const = default;
};

// Directives that are not known are passed over, as the RFC has it. An x-sluice- field that cannot be read is an error,
// kInvalidValue with the field's name in `param`: its words are for us alone, and whoever writes them wants them
// obeyed.
Result<Control> read_control(const http::RequestHead& head);

}  // namespace sluice::cache
