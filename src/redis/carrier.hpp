#pragma once
// Carries commands to the server that serves us, and sees in the background that there is one: connects, asks again
// after a failover, probes while the breaker is open. Belongs to one worker thread; lives until stop(), and for as long
// as its background task takes to notice.

#include <bitset>
#include <memory>
#include <optional>
#include <string>

#include "redis/alarm.hpp"
#include "redis/breaker.hpp"
#include "redis/command.hpp"
#include "redis/finder.hpp"
#include "sluice/core/redactor.hpp"
#include "sluice/redis/client.hpp"

namespace sluice::redis {

class Carrier final : public LinkObserver, public std::enable_shared_from_this<Carrier> {
 public:
  Carrier(net::io_context& io, Settings settings, std::shared_ptr<TlsContext> tls, Log log);

  void start();
  void stop();

  net::io_context& io() const { return io_; }
  const Settings& settings() const { return settings_; }
  bool available() const { return !breaker_.open(); }
  Counts counts() const;
  Counts& counting() { return counts_; }

  // Sends the command, or keeps it until there is a connection. The trouble, if it cannot be.
  std::optional<Trouble> submit(const CommandPtr& command);
  // The same at another server, once: what ASK wants. The command is not sent if that one cannot be reached.
  Task<std::optional<Trouble>> submit_asking(Address at, CommandPtr command);
  // A node of the cluster said that our slot belongs to `owner`.
  void moved(Address owner);
  // The node to which commands go.
  Address node() const { return link_ ? link_->address() : settings_.endpoints.front(); }
  // A failure that no link reports.
  Trouble note(Trouble trouble);
  // For an operator: one line, no secrets.
  std::string readable(const Trouble& trouble) const;

 private:
  class Ending;
  void end();
  void abandon();
  void settled(const Link& link, const Command& command, const Outcome& outcome) override;
  void desynchronised() override { ++counts_.desyncs; }
  void lost(const Link& link) override;

  Task<void> keep_connected(std::shared_ptr<Carrier> self);
  Task<void> connect();
  Task<void> probe();
  Task<void> sleep_until(TimePoint due);
  void count_reply(const Command& command, const Reply& reply);
  void count_failure(const Trouble& trouble);
  void opened(const Trouble& trouble);
  void unreachable(const Trouble& trouble);
  void drop_link();
  void send_waiting();
  void look_at_the_clock();
  void tell(Breaker::News news, const Trouble& trouble = {});

  net::io_context& io_;
  const Settings settings_;
  Log log_;
  Redactor redactor_;
  Finder finder_;
  Breaker breaker_;
  Counts counts_;
  LinkPtr link_;          // in use; none while there is no connection
  CommandQueue waiting_;  // for one
  Alarm alarm_;           // for those
  Timer wake_;            // of the background task
  TimePoint next_probe_{};
  std::bitset<kFailures> told_;  // reasons that the log has, of this time of being unavailable
  TimePoint next_connect_{};
  TimePoint unavailable_since_{};
  bool stopped_ = false;
};

}  // namespace sluice::redis
