#pragma once
// A client on a loop of its own, and calls that run the loop until they have ended.

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sluice/redis/client.hpp"

namespace sluice::redis::testing {

// How long anything here waits for what must come: a loaded machine may stand still for seconds.
inline constexpr std::chrono::seconds kPatience{60};

// One call under way.
struct Pending {
  std::optional<Result<Reply>> result;
  TimePoint ended{};
  net::cancellation_signal cancel;

  bool over() const { return result.has_value(); }
  bool ok() const { return over() && result->has_value(); }
  std::string text() const { return ok() ? (*result)->text : std::string(); }
  std::string detail() const { return over() && !ok() ? result->error().detail : std::string(); }
  ErrorKind kind() const { return over() && !ok() ? result->error().kind : ErrorKind::kInternal; }
};
using PendingPtr = std::shared_ptr<Pending>;

class ClientLoop {
 public:
  explicit ClientLoop(Settings settings) {
    auto made = make_client(io, std::move(settings), [this](std::string_view line) { log.emplace_back(line); });
    EXPECT_TRUE(made) << made.error();
    client = std::move(*made);
  }

  // Settings for a server at that port, with more patience than a busy machine needs.
  static Settings settings_for(std::uint16_t port) {
    Settings settings;
    settings.endpoints = {{"127.0.0.1", port}};
    settings.deadline = kPatience;
    settings.connect_timeout = kPatience;
    settings.probe_interval = milliseconds(20);
    return settings;
  }

  PendingPtr start(Task<Result<Reply>> task) {
    auto pending = std::make_shared<Pending>();
    net::co_spawn(io, std::move(task),
                  net::bind_cancellation_slot(pending->cancel.slot(),
                                              [pending](const std::exception_ptr& thrown, Result<Reply> result) {
                                                if (thrown) return;
                                                pending->ended = Clock::now();
                                                pending->result = std::move(result);
                                              }));
    return pending;
  }
  PendingPtr start(std::vector<std::string_view> words, TimePoint due = kNever) {
    return start(client->call(std::move(words), due));
  }
  // Runs it to its end.
  PendingPtr call(std::vector<std::string_view> words) { return finish(start(std::move(words))); }
  PendingPtr finish(PendingPtr pending) {
    EXPECT_TRUE(run_until([&] { return pending->over(); })) << "the call did not end";
    return pending;
  }
  // Until calls are answered again.
  bool recovers(std::vector<std::string_view> words = {"PING"}) {
    return run_until([&] { return client->available() && call(words)->ok(); });
  }

  // Runs until `condition` holds; false if it did not within kPatience.
  bool run_until(const std::function<bool()>& condition) {
    for (const auto stop = Clock::now() + kPatience; !condition();) {
      if (Clock::now() > stop) return false;
      io.restart();
      io.run_one_for(milliseconds(2));
    }
    return true;
  }

  std::uint64_t failures(Failure failure) const { return client->counts().failures[static_cast<std::size_t>(failure)]; }

  net::io_context io;
  std::vector<std::string> log;
  std::unique_ptr<Client> client;
};

}  // namespace sluice::redis::testing
