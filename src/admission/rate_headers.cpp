#include "admission/rate_headers.hpp"

#include <algorithm>
#include <optional>

namespace sluice::admission {
namespace {

struct Names {
  std::string_view limit, remaining, reset;
};
constexpr Names kRequests{"x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"};
constexpr Names kTokens{"x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"};

std::int64_t remaining(const limit::Take& take, const limit::Standing& standing) {
  return std::max<std::int64_t>(0, take.limit->most - standing.used - standing.reserved);
}

void append(const limit::Take& take, const limit::Standing& standing, const Names& names, Fields& out) {
  out.emplace_back(names.limit, std::to_string(take.limit->most));
  out.emplace_back(names.remaining, std::to_string(remaining(take, standing)));
  out.emplace_back(names.reset, go_duration(standing.resets_in));
}

}  // namespace

std::string go_duration(std::chrono::milliseconds span) {
  const auto ms = span.count();
  if (ms < 1000) return std::to_string(ms) + "ms";
  std::string text;
  const auto seconds = (ms + 999) / 1000;
  if (seconds >= 3600) text += std::to_string(seconds / 3600) + "h";
  if (seconds >= 60) text += std::to_string(seconds / 60 % 60) + "m";
  return text + std::to_string(seconds % 60) + "s";
}

void append_rate_headers(std::span<const limit::Take> takes, std::span<const limit::Standing> standings, Fields& out) {
  std::optional<std::size_t> requests;
  std::optional<std::size_t> tokens;
  for (std::size_t i = 0; i < takes.size(); ++i) {
    const limit::Limit& limit = *takes[i].limit;
    if (limit.mode == Mode::kObserve || limit.meter == Meter::kConcurrency || limit.meter == Meter::kMoney) continue;
    auto& nearest = limit.meter == Meter::kRequests ? requests : tokens;
    if (!nearest || remaining(takes[i], standings[i]) < remaining(takes[*nearest], standings[*nearest])) nearest = i;
  }
  if (requests) append(takes[*requests], standings[*requests], kRequests, out);
  if (tokens) append(takes[*tokens], standings[*tokens], kTokens, out);
}

}  // namespace sluice::admission
