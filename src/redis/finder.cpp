#include "redis/finder.hpp"

#include <algorithm>
#include <utility>

#include "redis/nodes.hpp"

namespace sluice::redis {
namespace {

constexpr std::size_t kMaxNodes = 64;  // that are remembered

Trouble at(const Address& address, Trouble trouble) {
  trouble.text.insert(0, one_line(to_string(address)) + ": ");
  return trouble;
}

}  // namespace

std::string to_string(const Address& address) {
  const bool brackets = address.host.find(':') != std::string::npos;
  return (brackets ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

Finder::Finder(net::io_context& io, const Settings& settings, std::shared_ptr<TlsContext> tls)
    : io_(io), settings_(settings), tls_(std::move(tls)), nodes_(settings.endpoints) {}

Task<Finder::Found> Finder::find() {
  if (settings_.cluster) co_return co_await find_in_cluster();
  if (!settings_.sentinel_master.empty()) co_return co_await find_by_sentinel();
  co_return co_await find_plain();
}

Task<Finder::Found> Finder::open(Address address, Login login, TimePoint due) {
  auto link = std::make_shared<Link>(io_, address, settings_.reply_bytes);
  std::erase_if(links_, [](const auto& one) { return one.expired(); });
  links_.push_back(link);
  auto opened = co_await link->open(tls_, settings_, std::move(login), due);
  if (!opened) co_return std::unexpected(at(address, std::move(opened.error())));
  co_return link;
}

Task<Finder::Found> Finder::find_plain() {
  auto link = co_await open(settings_.endpoints.front(), login_of(settings_), connect_due());
  if (!link) co_return link;
  co_return co_await prove(std::move(*link), doubts_master_);
}

Task<Finder::Found> Finder::find_by_sentinel() {
  Trouble last;
  for (std::size_t tries = nodes_.size(); tries > 0; --tries) {
    auto master = co_await master_from(nodes_.front());
    if (master) {
      auto link = co_await open(*master, login_of(settings_), connect_due());
      if (link) link = co_await prove(std::move(*link), true);
      if (link) co_return link;
      last = std::move(link.error());
    } else {
      last = std::move(master.error());
    }
    std::ranges::rotate(nodes_, nodes_.begin() + 1);
  }
  co_return std::unexpected(std::move(last));
}

Task<std::expected<Address, Trouble>> Finder::master_from(Address sentinel) {
  auto link = co_await open(sentinel, login_of_sentinel(), connect_due());
  if (!link) co_return std::unexpected(std::move(link.error()));
  auto reply = co_await (*link)->ask({"SENTINEL", "get-master-addr-by-name", settings_.sentinel_master}, connect_due());
  (*link)->retire();
  if (!reply) co_return std::unexpected(at(sentinel, std::move(reply.error())));
  if (auto master = master_in(*reply)) co_return std::move(*master);
  const std::string said = reply->is_error() ? ": " + one_line(reply->text) : "";
  co_return std::unexpected(
      at(sentinel, {Failure::kClosed, "the sentinel names no master for " + settings_.sentinel_master + said}));
}

Task<Finder::Found> Finder::find_in_cluster() {
  std::vector<Address> to_ask = nodes_;
  if (hint_) to_ask.insert(to_ask.begin(), *std::exchange(hint_, std::nullopt));
  Trouble last;
  for (const Address& node : to_ask) {
    auto link = co_await ask_node(node);
    if (link) co_return co_await prove(std::move(*link), false);
    last = std::move(link.error());
    // The next search begins with another one.
    if (std::erase(nodes_, node) > 0) nodes_.push_back(node);
  }
  co_return std::unexpected(std::move(last));
}

// A link to the owner of our slot, as that node knows it.
Task<Finder::Found> Finder::ask_node(Address node) {
  auto link = co_await open(node, login_of(settings_), connect_due());
  if (!link) co_return link;
  auto reply = co_await (*link)->ask({"CLUSTER", "SLOTS"}, connect_due());
  if (!reply) {
    (*link)->retire();
    co_return std::unexpected(at(node, std::move(reply.error())));
  }
  auto map = read_slots(*reply, slot_of(settings_.cluster_key), node);
  if (map.owner == node) co_return link;
  (*link)->retire();
  if (!map.owner) {
    const std::string said = reply->is_error() ? ": " + one_line(reply->text) : "";
    co_return std::unexpected(at(node, {Failure::kClusterDown, "nobody serves the slot of our keys" + said}));
  }
  learn(map.masters);
  co_return co_await open(*map.owner, login_of(settings_), connect_due());
}

void Finder::learn(const std::vector<Address>& masters) {
  nodes_ = masters;
  for (const Address& node : settings_.endpoints) {
    if (std::ranges::find(nodes_, node) == nodes_.end()) nodes_.push_back(node);
  }
  if (nodes_.size() > kMaxNodes) nodes_.resize(kMaxNodes);
}

Task<Finder::Found> Finder::prove(LinkPtr link, bool is_master) {
  std::optional<Trouble> trouble;
  auto pong = co_await link->ask({"PING"}, Clock::now() + settings_.deadline);
  if (!pong) {
    trouble = std::move(pong.error());
  } else if (pong->is_error()) {
    trouble = Trouble{Failure::kProtocol, "PING: " + one_line(pong->text)};
  } else if (is_master) {
    auto role = co_await link->ask({"ROLE"}, Clock::now() + settings_.deadline);
    trouble = role ? not_a_master(*role) : std::move(role.error());
  }
  if (trouble) {
    link->retire();
    co_return std::unexpected(at(link->address(), std::move(*trouble)));
  }
  doubts_master_ = false;
  co_return link;
}

std::size_t Finder::in_flight() const {
  std::size_t count = 0;
  for (const auto& weak : links_) {
    if (const auto link = weak.lock()) count += link->in_flight();
  }
  return count;
}

void Finder::abandon_all() {
  const auto links = std::exchange(links_, {});
  for (const auto& weak : links) {
    if (const auto link = weak.lock()) link->abandon();
  }
}

void Finder::fail_all(const Trouble& trouble) {
  const auto links = std::exchange(links_, {});
  for (const auto& weak : links) {
    if (const auto link = weak.lock()) link->fail(trouble);
  }
}

}  // namespace sluice::redis
