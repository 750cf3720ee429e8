#include "support/redis_server.hpp"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace sluice::support {
namespace {

constexpr auto kPatience = 30s;

std::string find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((folder + "/" + name).c_str(), X_OK) == 0) return folder + "/" + name;
  }
  return {};
}

// A connection that speaks RESP and waits for each reply.
class Conversation {
 public:
  explicit Conversation(std::uint16_t port) : fd_(connect_loopback(port)) {}

  std::string ask(const std::vector<std::string_view>& words) {
    std::string bytes = "*" + std::to_string(words.size()) + "\r\n";
    for (const auto word : words) {
      bytes += "$" + std::to_string(word.size()) + "\r\n";
      bytes.append(word).append("\r\n");
    }
    if (write_some(fd_.get(), bytes).bytes != bytes.size()) throw std::runtime_error("a command was not sent");
    return read_reply();
  }

 private:
  std::string read_reply() {
    const std::string line = read_to("\r\n");
    const std::string rest = line.substr(1);
    switch (line[0]) {
      case '-':
        return line;
      case '$':
        return rest == "-1" ? "(nil)" : read_count(std::stoul(rest));
      case '*':
        break;
      default:
        return rest;
    }
    std::string items;
    for (long left = std::stol(rest); left > 0; --left) items += read_reply() + "\n";
    return items;
  }

  std::string read_to(std::string_view end) {
    for (;;) {
      const auto at = in_.find(end);
      if (at != std::string::npos) return take(at, end.size());
      more();
    }
  }
  std::string read_count(std::size_t count) {
    while (in_.size() < count + 2) more();
    return take(count, 2);
  }
  std::string take(std::size_t count, std::size_t skip) {
    std::string taken = in_.substr(0, count);
    in_.erase(0, count + skip);
    return taken;
  }
  void more() {
    std::array<char, 4096> chunk;
    wait_any({{fd_.get(), POLLIN}}, Clock::now() + kPatience);
    const auto got = support::read_some(fd_.get(), chunk.data(), chunk.size());
    if (got.bytes == 0) throw std::runtime_error("redis-server does not answer");
    in_.append(chunk.data(), got.bytes);
  }

  Fd fd_;
  std::string in_;
};

}  // namespace

bool RedisServer::installed() { return !find_program("redis-server").empty(); }

RedisServer::RedisServer(RedisOptions options) : options_(std::move(options)), cluster_port_(refused_port()) {
  if (options_.tls) {
    const PemIdentity identity = make_identity(*options_.tls);
    directory_.write("ca.pem", test_ca_pem());
    directory_.write("cert.pem", identity.certificate);
    directory_.write("key.pem", identity.key);
  }
  // Somebody else may take the port before the server does.
  for (int tries = 0; tries < 10; ++tries) {
    port_ = refused_port();
    if (launch()) return;
  }
  throw std::runtime_error("redis-server does not start: " + log());
}

std::string RedisServer::configuration() const {
  std::ostringstream text;
  text << "bind 127.0.0.1\ndaemonize no\nlogfile \"\"\ndir " << directory_.path() << "\n";
  if (options_.tls) {
    text << "port 0\ntls-port " << port_ << "\ntls-auth-clients no\ntls-replication no\n";
    for (const std::string name : {"ca-cert", "cert", "key"}) {
      text << "tls-" << name << "-file " << directory_.path(name == "ca-cert" ? "ca.pem" : name + ".pem") << "\n";
    }
  } else {
    text << "port " << port_ << "\n";
  }
  if (options_.sentinel_of != 0) {
    text << "sentinel monitor main 127.0.0.1 " << options_.sentinel_of << " 1\n"
         << "sentinel down-after-milliseconds main 300\nsentinel failover-timeout main 1000\n";
  } else {
    text << "save \"\"\nappendonly no\nrepl-diskless-sync-delay 0\nrepl-ping-replica-period 1\n";
  }
  if (options_.cluster)
    text << "cluster-enabled yes\ncluster-port " << cluster_port_ << "\ncluster-node-timeout 2000\n";
  if (options_.replica_of != 0) text << "replicaof 127.0.0.1 " << options_.replica_of << "\n";
  if (!options_.password.empty()) text << "requirepass " << options_.password << "\n";
  for (const std::string& user : options_.users) text << "user " << user << "\n";
  for (const std::string& line : options_.more) text << line << "\n";
  return text.str();
}

bool RedisServer::launch() {
  directory_.write("redis.conf", configuration());
  std::vector<std::string> command = {find_program("redis-server"), directory_.path("redis.conf")};
  if (options_.sentinel_of != 0) command.emplace_back("--sentinel");
  process_ = std::make_unique<Process>(command, std::map<std::string, std::string>());
  const std::string ready = options_.sentinel_of != 0 ? "+monitor master" : "Ready to accept connections";
  const auto is_ready = [&](const std::string& said) { return said.find(ready) != std::string::npos; };
  return process_->wait_output(is_ready, kPatience);
}

void RedisServer::start() {
  // On a busy machine another connection may have this port for a while.
  for (const auto stop = Clock::now() + kPatience; !launch();) {
    if (Clock::now() > stop) throw std::runtime_error("redis-server does not start again: " + log());
  }
}

void RedisServer::stop() {
  process_->signal(SIGTERM);
  if (!process_->wait_exit(kPatience)) throw std::runtime_error("redis-server does not stop");
}

void RedisServer::kill() {
  process_->signal(SIGKILL);
  if (!process_->wait_exit(kPatience)) throw std::runtime_error("redis-server does not die");
}

void RedisServer::freeze() { process_->signal(SIGSTOP); }
void RedisServer::thaw() { process_->signal(SIGCONT); }

std::string RedisServer::command(std::initializer_list<std::string_view> words) const {
  Conversation conversation(port_);
  if (!options_.password.empty() && options_.sentinel_of == 0) conversation.ask({"AUTH", options_.password});
  return conversation.ask(words);
}

bool RedisServer::wait_for(std::initializer_list<std::string_view> words, std::string_view wanted,
                           milliseconds timeout) const {
  for (const auto stop = Clock::now() + timeout; Clock::now() < stop;) {
    try {
      if (command(words).find(wanted) != std::string::npos) return true;
    } catch (const std::runtime_error&) {
      // A server that changes its role closes connections.
    }
    std::this_thread::sleep_for(5ms);  // between two questions; the bound is `timeout`
  }
  return false;
}

}  // namespace sluice::support
