#pragma once
#include "sluice/redis/client.hpp"

namespace sluice::redis {

// Which client the calling thread has, for an object that many threads use: each attaches its own, which outlives the
// thread's loop. Of one kind of owner a thread knows the last one only.
template <class Owner>
class ThreadClient {
 public:
  static void attach(const Owner* owner, Client& client) { here() = {owner, &client}; }
  static void detach(const Owner* owner) {
    if (here().owner == owner) here() = {};
  }
  // Null: it has attached none.
  static Client* of(const Owner* owner) { return here().owner == owner ? here().client : nullptr; }

 private:
  struct Here {
    const Owner* owner = nullptr;
    Client* client = nullptr;
  };
  static Here& here() {
    thread_local Here of_this_thread;
    return of_this_thread;
  }
};

}  // namespace sluice::redis
