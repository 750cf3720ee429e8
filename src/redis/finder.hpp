#pragma once
// Finds the server that serves us and logs in: the configured one, the master that Sentinel names, or the node of a
// cluster that owns the slot of our keys. One server at a time. Belongs to one worker thread.

#include <expected>
#include <memory>
#include <optional>
#include <vector>

#include "redis/link.hpp"
#include "sluice/redis/settings.hpp"

namespace sluice::redis {

class Finder {
 public:
  using Found = std::expected<LinkPtr, Trouble>;

  // The settings must outlive it.
  Finder(net::io_context& io, const Settings& settings, std::shared_ptr<TlsContext> tls);

  // A link to a server that has answered a PING within the deadline and, where that is in question, is a master.
  Task<Found> find();
  // A link to that server and no other.
  Task<Found> open(Address address, Login login, TimePoint due);

  // The server we had said that it is no master: the next one has to prove that it is.
  void doubt_master() { doubts_master_ = true; }
  // A node of the cluster said who owns our slot now.
  void hint(Address owner) { hint_ = std::move(owner); }

  // Of all links that were made here and still live.
  std::size_t in_flight() const;
  void fail_all(const Trouble& trouble);
  void abandon_all();

 private:
  Task<Found> find_plain();
  Task<Found> find_by_sentinel();
  Task<Found> find_in_cluster();
  Task<std::expected<Address, Trouble>> master_from(Address sentinel);
  Task<Found> ask_node(Address node);
  Task<Found> prove(LinkPtr link, bool is_master);
  void learn(const std::vector<Address>& masters);
  TimePoint connect_due() const { return Clock::now() + settings_.connect_timeout; }

  net::io_context& io_;
  const Settings& settings_;
  std::shared_ptr<TlsContext> tls_;
  std::vector<Address> nodes_;  // to ask; those that failed come last
  std::optional<Address> hint_;
  bool doubts_master_ = false;
  std::vector<std::weak_ptr<Link>> links_;
};

std::string to_string(const Address& address);  // "host:port"

}  // namespace sluice::redis
