#pragma once
// Hears what is published on one channel, on a connection of its own (redis.io, "Redis Pub/Sub"). Nothing that was
// published while there was no connection is ever heard: whoever has to know looks again when it is told that there is
// one.

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "sluice/core/async.hpp"
#include "sluice/redis/settings.hpp"

namespace sluice::redis {

// Belongs to the thread of its io_context. Ends with its destruction, after which nothing is called.
class Subscriber {
 public:
  virtual ~Subscriber() = default;
  virtual bool connected() const = 0;
};

// Called on the loop: something was published; the subscription stands, for the first time or again.
struct Hearer {
  std::function<void()> published;
  std::function<void()> subscribed;
};

// Connects in the background, again and again. With Sentinel nobody is listened to: sentinels know the master, and this
// does not ask them. The error says what is wrong with the settings.
std::expected<std::unique_ptr<Subscriber>, std::string> make_subscriber(net::io_context& io, Settings settings,
                                                                        std::string channel, Hearer hearer);

}  // namespace sluice::redis
