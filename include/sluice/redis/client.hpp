#pragma once
// One worker's Redis: commands pipelined on one connection, a deadline for each, one breaker for all.
//
// Whatever state Redis is in, a call ends by its deadline, and once `failures_to_open` calls in a row have failed, or
// no connection can be made, calls fail at once without touching the network until a probe has shown that Redis serves
// again. Connections are made in the background. A command that misses its deadline costs the connection, and with it
// the other commands in flight: a late reply can reach nobody. Nothing is sent twice unless the server has said that it
// did not carry it out (NOSCRIPT, MOVED, ASK).

#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/core/async.hpp"
#include "sluice/core/clock.hpp"
#include "sluice/core/error.hpp"
#include "sluice/redis/counts.hpp"
#include "sluice/redis/reply.hpp"
#include "sluice/redis/script.hpp"
#include "sluice/redis/settings.hpp"

namespace sluice::redis {

using Words = std::span<const std::string_view>;

// Belongs to one worker: everything is called on the thread of its io_context. Must outlive the calls under way.
class Client {
 public:
  virtual ~Client() = default;

  // Sends a command, its name first, and waits for the reply until `due` or Settings::deadline, whichever is earlier.
  // The words are copied before anything is waited for. An error reply that is the caller's affair (WRONGTYPE, …) is a
  // Reply. Errors: kRedisUnavailable, its `detail` begins with the Failure's name and a colon: whether the command was
  // carried out is not known unless that is kFull or kOpen, so what must happen once carries an id of its own;
  // kClientGone when the calling task was cancelled: the command may be carried out yet, its reply is dropped.
  virtual Task<Result<Reply>> call(std::vector<std::string_view> words, TimePoint due) = 0;

  // The same for a script: EVALSHA, and EVAL once if the server does not have it. What `script`, `keys` and `args`
  // refer to must stay where it is until the call has ended.
  virtual Task<Result<Reply>> eval(const Script& script, Words keys, Words args, TimePoint due) = 0;

  // False while calls would fail at once.
  virtual bool available() const = 0;

  virtual Counts counts() const = 0;
};

// Told of changes, once each: Redis became unavailable (and why), it is available again. One line, without secrets.
using Log = std::function<void(std::string_view)>;

// Begins to connect when the loop runs; no server need be there. The error says what is wrong with the settings: a CA
// file that cannot be read, no endpoint. May be destroyed when no call is under way, also after the loop has ended.
std::expected<std::unique_ptr<Client>, std::string> make_client(net::io_context& io, Settings settings, Log log);

}  // namespace sluice::redis
