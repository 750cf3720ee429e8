#pragma once
// A server on 127.0.0.1 that reads RESP commands and answers each as the test's script says, byte for byte.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "sluice/core/clock.hpp"
#include "support/socket.hpp"

namespace sluice::redis::testing {

using Command = std::vector<std::string>;

// What is done about one command.
struct Answer {
  enum class End : std::uint8_t { kStay, kClose, kReset };
  std::string bytes{};    // none: it is left without a reply
  milliseconds delay{0};  // counted from the command's arrival
  End end = End::kStay;   // after the bytes
  bool held = false;      // sent when release() is called
};
inline Answer reply(std::string bytes) { return {.bytes = std::move(bytes)}; }
inline Answer silence() { return {}; }

std::string bulk(std::string_view text);  // "$3\r\nfoo\r\n"

class Stub {
 public:
  // Called from the connection's thread; `connection` counts from 0.
  using Script = std::function<Answer(const Command& command, int connection)>;
  explicit Stub(Script script);
  ~Stub();
  Stub(const Stub&) = delete;
  Stub& operator=(const Stub&) = delete;

  std::uint16_t port() const { return listener_.port; }
  int connections() const { return connections_; }
  int open_connections() const { return open_; }
  std::vector<Command> commands() const;           // all that came, those of the login and the probes as well
  std::size_t count(std::string_view name) const;  // of commands of that name
  void release();                                  // what is held goes
  // Every write of the server is cut in two there; 0: not at all.
  void cut_at(std::size_t offset) { cut_at_ = offset; }

 private:
  void accept_all();
  void serve(support::Fd fd, int number);
  bool perform(int fd, const Answer& answer, Clock::time_point arrived);
  void wait_until(Clock::time_point when);

  Script script_;
  support::Listener listener_;
  support::Gate stop_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> connections_ = 0;
  std::atomic<int> open_ = 0;
  std::atomic<std::size_t> cut_at_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool released_ = false;
  std::vector<Command> commands_;
  std::list<std::thread> serving_;  // of the accept thread
  std::thread acceptor_;
};

// What every server says to the login and to a probe; `otherwise` for anything else.
Answer polite(const Command& command, const std::function<Answer()>& otherwise);

}  // namespace sluice::redis::testing
