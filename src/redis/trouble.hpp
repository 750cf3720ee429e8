#pragma once
// Why something did not work, and how a command ends.

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/redis/counts.hpp"
#include "sluice/redis/reply.hpp"

namespace sluice::redis {

struct Trouble {
  Failure failure = Failure::kClosed;
  std::string text;  // for operators: one line, short; may hold what the server wrote
};
using Outcome = std::expected<Reply, Trouble>;

// What an error reply says about the server; nothing if it is the caller's affair. Before version 7, errors inside
// scripts are wrapped: "ERR Error running script (…): @user_script:1: -OOM command not allowed …".
std::optional<Failure> failure_of(const Reply& error);
// The same as an outcome: an error reply that is a failure becomes one.
Outcome judged(Reply reply);

// What a server wrote, as it may stand in a line: no control characters, at most 200 bytes.
std::string one_line(std::string_view text);

}  // namespace sluice::redis
