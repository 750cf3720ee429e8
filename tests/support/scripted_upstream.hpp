#pragma once
// An HTTP/1.1 server on a port of its own that does what the test says and remembers what it saw. Thread-safe; all
// waits are bounded and return what was true at their end.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/behaviour.hpp"
#include "support/channel.hpp"
#include "support/observed.hpp"
#include "support/test_certificates.hpp"

namespace sluice::support {

struct UpstreamOptions {
  std::optional<Certificate> tls = {};  // absent: plain TCP
  bool only_tls_1_1 = false;
  bool keep_requests = true;  // false under load: requests() stays empty
};

class ScriptedUpstream {
 public:
  ScriptedUpstream() : ScriptedUpstream(UpstreamOptions{}) {}
  explicit ScriptedUpstream(UpstreamOptions options);
  ~ScriptedUpstream();
  ScriptedUpstream(const ScriptedUpstream&) = delete;
  ScriptedUpstream& operator=(const ScriptedUpstream&) = delete;

  std::uint16_t port() const { return listener_.port; }
  std::string url(std::string_view path = "/v1") const;

  // Queues a behaviour for the requests to a path ("" for any path) or for a model; a model's queue comes first. Each
  // request takes the front one; the last one stays. Set it up before the request comes.
  Behaviour& on(const std::string& path);
  Behaviour& on_any() { return on(""); }
  Behaviour& on_model(const std::string& model);
  void forget_script();
  // Asked before the queues, from the connection's thread.
  using Script = std::function<std::optional<Behaviour>(const ObservedRequest&)>;
  void set_script(Script script);

  std::vector<ObservedRequest> requests() const;
  std::vector<ObservedConnection> connections() const;
  ObservedRequest request(std::size_t index) const { return requests().at(index); }
  std::size_t bytes_in() const;  // over all connections

  bool wait_for_requests(std::size_t count, milliseconds timeout = 5s) const;
  bool wait_for_connections(std::size_t count, milliseconds timeout = 5s) const;
  // Until the peer has ended that connection; the connection as seen then.
  ObservedConnection wait_for_disconnect(std::size_t connection, milliseconds timeout = 5s) const;
  bool wait_until(const std::function<bool()>& condition, milliseconds timeout = 5s) const;

  // Stops accepting: later connections are refused.
  void stop_listening();

 private:
  friend class UpstreamConnection;
  void accept_loop();
  Behaviour behaviour_for(const ObservedRequest& request);
  std::list<Behaviour>* queue_for(const ObservedRequest& request);
  void update(const std::function<void()>& change);

  UpstreamOptions options_;
  Listener listener_;
  SslContext context_;
  Gate stop_;
  Gate stop_listening_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<std::string, std::list<Behaviour>> by_path_, by_model_;
  Script script_;
  std::vector<ObservedRequest> requests_;
  std::deque<ObservedConnection> connections_;
  struct Serving {
    std::thread thread;
    std::atomic<bool> over = false;
  };
  void join_those_that_are_over();
  std::list<Serving> serving_;  // of the accept thread
  std::thread accept_thread_;
};

}  // namespace sluice::support
