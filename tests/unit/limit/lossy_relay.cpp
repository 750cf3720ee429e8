#include "lossy_relay.hpp"

#include <poll.h>

#include <algorithm>
#include <string_view>

namespace sluice::limit {

using namespace std::chrono_literals;

LossyRelay::LossyRelay(std::uint16_t server, unsigned one_in, unsigned seed)
    : server_(server), one_in_(one_in), random_(seed), thread_([this] { run(); }) {}

LossyRelay::~LossyRelay() {
  stop_.open();
  thread_.join();
}

void LossyRelay::run() {
  for (;;) {
    std::vector<pollfd> watched{{stop_.fd(), POLLIN, 0}, {listener_.fd.get(), POLLIN, 0}};
    for (const Pair& pair : pairs_) {
      watched.push_back({pair.client.get(), POLLIN, 0});
      watched.push_back({pair.server.get(), POLLIN, 0});
    }
    poll(watched.data(), watched.size(), -1);
    if (watched[0].revents != 0) return;
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      serve(pairs_[i], watched[2 * i + 2].revents, watched[2 * i + 3].revents);
    }
    std::erase_if(pairs_, [](const Pair& pair) { return !pair.client.valid(); });
    if (watched[1].revents != 0) {
      auto client = support::accept_connection(listener_.fd.get());
      if (client.valid()) pairs_.push_back({std::move(client), support::connect_loopback(server_)});
    }
  }
}

void LossyRelay::serve(Pair& pair, short client_ready, short server_ready) {
  if (client_ready != 0 && !pass(pair.client, pair.server, false)) return cut(pair);
  if (server_ready == 0) return;
  const bool lose = losing_ && random_() % one_in_ == 0;
  if (lose) ++losses_;
  if (!pass(pair.server, pair.client, lose) || lose) cut(pair);
}

// False: the connection has ended.
bool LossyRelay::pass(const support::Fd& from, const support::Fd& to, bool lose) {
  char buffer[16 * 1024];
  const auto got = support::read_some(from.get(), buffer, sizeof buffer);
  if (got.end != support::End::kOpen) return false;
  std::string_view left(buffer, lose ? 0 : got.bytes);
  const auto until = support::Clock::now() + 20s;
  while (!left.empty()) {
    const auto put = support::write_some(to.get(), left);
    if (put.end != support::End::kOpen || support::Clock::now() > until) return false;
    left.remove_prefix(put.bytes);
    if (put.bytes == 0) support::wait_any({{to.get(), POLLOUT}}, support::Clock::now() + 1s);
  }
  return true;
}

void LossyRelay::cut(Pair& pair) {
  pair.client.close();
  pair.server.close();
}

}  // namespace sluice::limit
