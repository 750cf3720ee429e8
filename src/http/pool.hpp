#pragma once
// Idle upstream connections of one worker, newest first.

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "http/pending_read.hpp"
#include "sluice/core/text.hpp"
#include "sluice/core/timer_wheel.hpp"
#include "sluice/http/client.hpp"

namespace sluice::http {

// A connection to an upstream and the buffer its answers are read into. Small until a read has filled it: most events
// and many answers fit, and thousands of streams are open at once.
struct UpstreamConnection {
  static constexpr std::size_t kFirstBuffer = 4 * 1024;
  static constexpr std::size_t kBuffer = 16 * 1024;

  UpstreamConnection(net::io_context& io, TimerWheel& timers) : read(std::make_shared<PendingRead>(io, timers)) {}
  ~UpstreamConnection() {
    if (read) read->give_up(std::move(buffer));
  }
  UpstreamConnection(const UpstreamConnection&) = delete;
  UpstreamConnection& operator=(const UpstreamConnection&) = delete;

  void start_read() {
    if (read->pending() || read->has_result()) return;
    if (buffer.size() != wanted) {
      release(buffer);
      buffer.resize_and_overwrite(wanted, [](char*, std::size_t count) { return count; });
    }
    read->start(buffer);
  }
  // What a read brought.
  std::span<char> received(std::size_t count) {
    if (count == buffer.size()) wanted = kBuffer;
    return {buffer.data(), count};
  }
  // Gives the buffer back until the next read. Not while a read is pending or has a result.
  void drop_buffer() {
    release(buffer);
    wanted = kFirstBuffer;
  }

  std::shared_ptr<PendingRead> read;
  std::string buffer;
  std::size_t wanted = kFirstBuffer;
};

class Pool {
 public:
  explicit Pool(TimerWheel& timers) : sweep_(timers, &Pool::on_sweep, this) {}

  // A connection that is open, silent and young enough; null if there is none. Its read is pending.
  std::unique_ptr<UpstreamConnection> take(const Origin& origin);
  void put(const Origin& origin, std::unique_ptr<UpstreamConnection> connection);

  // An answer of which only the end of its framing is missing: kept until it calls drop(), or its time is up.
  void keep(std::unique_ptr<ResponseStream> stream, TimePoint until);
  void drop(const ResponseStream* stream);

 private:
  struct Idle {
    std::unique_ptr<UpstreamConnection> connection;
    TimePoint until;
  };
  static void on_sweep(void* self);

  struct Ending {
    std::unique_ptr<ResponseStream> stream;
    TimePoint until;
  };

  std::unordered_map<std::string, std::vector<Idle>> idle_;
  std::vector<Ending> ending_;
  TimerWheel::Timer sweep_;
};

}  // namespace sluice::http
