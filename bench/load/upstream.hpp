#pragma once
// The model provider of the benchmark: answers POST /v1/chat/completions with one JSON text or a stream of events at a
// fixed pace, and GET /stats with what it saw. One thread, one loop.

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "event_wheel.hpp"
#include "net.hpp"
#include "texts.hpp"

namespace sluice::bench {

struct UpstreamOptions {
  std::uint16_t port = 0;
  std::int64_t events = 40;                // content events of a stream
  std::chrono::milliseconds interval{50};  // between two of them; the first follows the role at once
  std::size_t answer_bytes = 1024;
};

class UpstreamConnection;

class Upstream : public Handler {
 public:
  explicit Upstream(const UpstreamOptions& options);
  ~Upstream() override;
  [[noreturn]] void run();
  std::uint16_t port() const { return port_of(listener_); }

  // For the connections.
  const UpstreamOptions& options() const { return options_; }
  Loop& loop() { return loop_; }
  EventWheel& wheel() { return wheel_; }
  const std::string& answer() const { return answer_; }
  ContentEvent& content() { return content_; }
  void count_request(bool stream);
  void count_event() { ++events_; }
  // A stream whose connection closed before its end. `label` is what the client called it.
  void note_aborted(const std::string& label);
  void forget(std::uint64_t id);
  std::string stats() const;

  void on_ready(std::uint32_t events) override;

 private:
  UpstreamOptions options_;
  Fd listener_;
  Loop loop_;
  EventWheel wheel_{Clock::now()};
  std::string answer_;
  ContentEvent content_;
  std::unordered_map<std::uint64_t, std::unique_ptr<UpstreamConnection>> connections_;
  std::unordered_map<std::string, std::int64_t> closed_;  // label → nanoseconds of Clock
  std::uint64_t accepted_ = 0, requests_ = 0, streams_ = 0, events_ = 0, aborted_ = 0;
};

}  // namespace sluice::bench
