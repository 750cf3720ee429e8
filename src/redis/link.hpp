#pragma once
// One server that is spoken to: commands pipelined on one connection, replies handed out in their order. A command that
// misses its deadline ends the connection, and everything in flight with it, so a late reply can reach nobody.

#include <functional>
#include <initializer_list>
#include <memory>
#include <string_view>

#include "redis/alarm.hpp"
#include "redis/command.hpp"
#include "redis/connection.hpp"
#include "redis/login.hpp"
#include "redis/reply_reader.hpp"

namespace sluice::redis {

// What a link reports to the client whose commands it carries.
class LinkObserver {
 public:
  virtual void settled(const class Link& link, const Command& command,
                       const Outcome& outcome) = 0;  // before its caller
  virtual void desynchronised() = 0;                 // a reply came that nobody had asked for
  virtual void lost(const class Link& link) = 0;     // before the commands in flight are settled

 protected:
  ~LinkObserver() = default;
};

class Link final : public Connection {
 public:
  Link(net::io_context& io, Address address, std::size_t reply_bytes);

  const Address& address() const { return address_; }

  // Connects and logs in; what the server's refusal means is in the error. Once, and first.
  Task<std::expected<void, Trouble>> open(std::shared_ptr<TlsContext> tls, const Settings& settings, Login login,
                                          TimePoint due);
  // A command of our own, of which no observer hears. kClosed, kTimeout, or what the reply says about the server.
  Task<Outcome> ask(std::initializer_list<std::string_view> words, TimePoint due);

  // From now on, who hears about callers' commands and of the end.
  void report_to(std::weak_ptr<LinkObserver> observer) { observer_ = std::move(observer); }
  void submit(CommandPtr command);
  std::size_t in_flight() const { return in_flight_.size(); }

  // Takes no more commands; closes when those in flight have been answered.
  void retire();
  // Closes now; what is in flight ends with that.
  void fail(Trouble trouble);
  // What is in flight is never answered; for the end of the loop.
  void abandon() { in_flight_.abandon(); }

 private:
  Task<std::expected<void, Trouble>> log_in(const Settings& settings, Login login, TimePoint due);
  void received(std::string_view bytes) override;
  void lost(std::string why) override;
  void settle(const CommandPtr& command, Outcome outcome);
  void look_at_the_clock();
  void close_if_done();

  Address address_;
  ReplyReader reader_;
  CommandQueue in_flight_;
  Alarm alarm_;
  std::weak_ptr<LinkObserver> observer_;
  bool retired_ = false;
};
using LinkPtr = std::shared_ptr<Link>;

}  // namespace sluice::redis
