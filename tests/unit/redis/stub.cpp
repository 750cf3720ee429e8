#include "unit/redis/stub.hpp"

#include <poll.h>

#include <array>
#include <optional>

namespace sluice::redis::testing {
namespace {

using namespace std::chrono_literals;

// The first command of `in`, which is taken out of it.
std::optional<Command> take_command(std::string& in) {
  std::size_t at = 0;
  const auto number_after = [&](char mark) -> std::optional<std::size_t> {
    const auto end = in.find("\r\n", at);
    if (end == std::string::npos || in[at] != mark) return std::nullopt;
    const auto value = std::stoul(in.substr(at + 1, end - at - 1));
    at = end + 2;
    return value;
  };
  const auto count = number_after('*');
  if (!count) return std::nullopt;
  Command command;
  for (std::size_t i = 0; i < *count; ++i) {
    if (at >= in.size()) return std::nullopt;
    const auto size = number_after('$');
    if (!size || in.size() < at + *size + 2) return std::nullopt;
    command.push_back(in.substr(at, *size));
    at += *size + 2;
  }
  in.erase(0, at);
  return command;
}

}  // namespace

std::string bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

Answer polite(const Command& command, const std::function<Answer()>& otherwise) {
  if (command[0] == "PING") return reply("+PONG\r\n");
  if (command[0] == "AUTH" || command[0] == "SELECT" || command[0] == "CLIENT") return reply("+OK\r\n");
  if (command[0] == "ROLE") return reply("*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n");
  return otherwise();
}

Stub::Stub(Script script) : script_(std::move(script)), listener_(support::listen_loopback()) {
  acceptor_ = std::thread([this] { accept_all(); });
}

Stub::~Stub() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  stop_.open();
  acceptor_.join();
  for (auto& one : serving_) one.join();
}

void Stub::accept_all() {
  while (!stopping_) {
    support::wait_any({{listener_.fd.get(), POLLIN}, {stop_.fd(), POLLIN}}, support::Clock::now() + 60s);
    support::Fd fd = support::accept_connection(listener_.fd.get());
    if (!fd.valid()) continue;
    ++open_;
    serving_.emplace_back([this, number = connections_++](support::Fd own) { serve(std::move(own), number); },
                          std::move(fd));
  }
}

void Stub::serve(support::Fd fd, int number) {
  std::string in;
  std::array<char, 65536> chunk;
  bool staying = true;
  while (staying && !stopping_) {
    support::wait_any({{fd.get(), POLLIN}, {stop_.fd(), POLLIN}}, support::Clock::now() + 60s);
    const auto got = support::read_some(fd.get(), chunk.data(), chunk.size());
    if (got.end != support::End::kOpen) break;
    in.append(chunk.data(), got.bytes);
    const auto arrived = Clock::now();
    while (auto command = staying ? take_command(in) : std::nullopt) {
      {
        const std::lock_guard lock(mutex_);
        commands_.push_back(*command);
      }
      staying = perform(fd.get(), script_(*command, number), arrived);
    }
  }
  fd.close();
  --open_;
}

bool Stub::perform(int fd, const Answer& answer, Clock::time_point arrived) {
  wait_until(arrived + answer.delay);
  if (answer.held) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return released_ || stopping_; });
  }
  const std::string_view bytes = answer.bytes;
  const std::size_t cut = std::min<std::size_t>(cut_at_, bytes.size());
  for (std::string_view piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
    while (!piece.empty() && !stopping_) {
      const auto sent = support::write_some(fd, piece);
      if (sent.end != support::End::kOpen) return false;
      piece.remove_prefix(sent.bytes);
      if (!piece.empty()) support::wait_any({{fd, POLLOUT}, {stop_.fd(), POLLIN}}, support::Clock::now() + 60s);
    }
    // The first piece has been read before the second comes, on any but the busiest machine.
    if (cut != 0) wait_until(Clock::now() + milliseconds(1));
  }
  if (answer.end == Answer::End::kReset) support::set_reset_on_close(fd);
  return answer.end == Answer::End::kStay;
}

void Stub::wait_until(Clock::time_point when) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, when, [&] { return stopping_.load(); });
}

std::vector<Command> Stub::commands() const {
  const std::lock_guard lock(mutex_);
  return commands_;
}

std::size_t Stub::count(std::string_view name) const {
  std::size_t count = 0;
  for (const Command& command : commands()) count += command[0] == name ? 1 : 0;
  return count;
}

void Stub::release() {
  {
    const std::lock_guard lock(mutex_);
    released_ = true;
  }
  changed_.notify_all();
}

}  // namespace sluice::redis::testing
