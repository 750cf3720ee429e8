#pragma once
// A relay before a server that loses answers: every so often it drops what the server has said and cuts the connection,
// so that the client cannot know whether its commands were carried out.

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "support/socket.hpp"

namespace sluice::limit {

class LossyRelay {
 public:
  // One in `one_in` pieces of what the server says is lost.
  LossyRelay(std::uint16_t server, unsigned one_in, unsigned seed);
  ~LossyRelay();
  LossyRelay(const LossyRelay&) = delete;
  LossyRelay& operator=(const LossyRelay&) = delete;

  std::uint16_t port() const { return listener_.port; }
  int losses() const { return losses_; }
  void stop_losing() { losing_ = false; }

 private:
  struct Pair {
    support::Fd client, server;
  };
  void run();
  void serve(Pair& pair, short client_ready, short server_ready);
  static bool pass(const support::Fd& from, const support::Fd& to, bool lose);
  static void cut(Pair& pair);

  const std::uint16_t server_;
  const unsigned one_in_;
  std::mt19937 random_;
  support::Listener listener_ = support::listen_loopback();
  support::Gate stop_;
  std::vector<Pair> pairs_;
  std::atomic<int> losses_ = 0;
  std::atomic<bool> losing_ = true;
  std::thread thread_;
};

}  // namespace sluice::limit
