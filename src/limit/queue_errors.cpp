#include "limit/queue_errors.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace sluice::limit {
namespace {

constexpr milliseconds kUnknownWait{1'000};
constexpr milliseconds kShortestWait{1};
constexpr milliseconds kLongestWait{120'000};  // SDKs disregard what is longer

std::string_view reason(Unserved why) {
  switch (why) {
    case Unserved::kFull:
      return "no more requests may wait";
    case Unserved::kLate:
      return "the request could not start in time";
    case Unserved::kTimedOut:
      return "no slot became free in time";
    case Unserved::kEvicted:
      return "the request had to make room for one of higher priority";
  }
  return "";
}

}  // namespace

Error queue_error(Unserved why, const Limit& limit, std::optional<std::chrono::nanoseconds> wait) {
  const bool own = limit.node == "process";
  Error error;
  error.kind = own || why == Unserved::kEvicted ? ErrorKind::kOverloaded : ErrorKind::kConcurrencyExceeded;
  error.message = own ? "The gateway serves as many requests at once as it may"
                      : "The concurrency limit of " + limit.node + " is reached";
  error.message.append(" and ").append(reason(why)).append("; please try again in a moment.");
  error.detail.append("a slot of ").append(limit.node).append(": ").append(reason(why));
  error.retry_after =
      wait ? std::clamp(std::chrono::ceil<milliseconds>(*wait), kShortestWait, kLongestWait) : kUnknownWait;
  return error;
}

}  // namespace sluice::limit
