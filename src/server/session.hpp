#pragma once
// One client connection from its first byte to its last, request after request.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/cancellation_signal.hpp>

#include "server/client_io.hpp"
#include "server/client_sink.hpp"
#include "server/in_flight.hpp"
#include "server/service.hpp"
#include "sluice/core/ip.hpp"
#include "sluice/observe/metrics.hpp"

namespace sluice::server {

// What a connection needs from the thread it lives on.
struct SessionContext {
  TimerWheel& timers;
  http::Client& upstreams;
  observe::Metrics& metrics;
  InFlight::List& in_flight;
  std::function<std::shared_ptr<const Service>()> service;  // the one in force now
  std::function<void(const observe::Record&)> record;       // where finished records go
  std::function<bool()> draining;                           // whether to close after the answer under way
  const std::atomic<bool>* shedding = nullptr;              // whether to refuse requests; null: never
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(http::TcpSocket socket, const IpAddress& source, SessionContext& context);
  ~Session();

  // Serves until the connection is over, and calls `done` then, or when there was no memory to begin. `done` does not
  // throw.
  void start(std::function<void(Session&)> done);

  // Draining: closes a connection that is idle and has been so for a moment. One that has just been made, or was told
  // before that it could go on, may have its next request on the way.
  void close_if_idle();
  // The answer under way is cut, and the client told why.
  void cut(ErrorKind why);
  // What cutting would give back, about; 0 when no exchange is under way.
  std::size_t held_bytes();

 private:
  class Ending;
  class Serving;
  Task<void> run();
  Task<bool> secure();
  Task<bool> next_request();
  Task<bool> serve_one();
  Task<Result<http::RequestHead>> read_head();
  void rest();
  Task<Result<void>> admit(pipeline::Exchange& exchange);
  Task<Result<void>> answer(pipeline::Exchange& exchange);
  Task<void> tell(Result<void>& result, pipeline::Exchange& exchange);
  Task<void> reject(Error error);
  Task<void> linger();
  Result<void> check_memory();

  SessionContext& context_;
  ClientIo io_;
  std::shared_ptr<const Service> service_;
  ClientSink sink_;
  boost::asio::cancellation_signal cancel_;
  IpAddress source_;
  std::string head_bytes_;
  std::string body_;
  TimePoint first_byte_{};
  bool idle_ = true;  // between two requests
  TimePoint idle_since_ = Clock::now();
  bool serving_ = false;  // inside the service, where cancelling works
  bool gone_ = false;
  std::optional<ErrorKind> cut_;
  const pipeline::Exchange* exchange_ = nullptr;  // the one under way
  bool body_unread_ = false;
};

}  // namespace sluice::server
