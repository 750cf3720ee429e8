#pragma once
// What the tests of the trace share: the lines of its files, and steady load that makes them.

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "integration/fixture.hpp"

namespace sluice::integration {

struct TraceText {
  std::size_t lines = 0;         // whole ones about requests: a JSON object and a line feed
  std::vector<std::string> bad;  // whole ones that are anything else
  std::string tail;              // behind the last line feed

  void add(const std::string& text);
};

// The files put aside for `path`, oldest first, and the file itself.
TraceText read_trace(const std::string& path);
std::vector<std::string> put_aside(const std::string& path);

// Clients that ask one thing after the other, until stop() or the end of the gateway.
class Load {
 public:
  Load(std::uint16_t port, int clients);
  ~Load() { stop(); }
  void stop();
  std::size_t answered() const { return answered_; }
  std::size_t failed() const { return failed_; }  // answers that were not 200 or not whole
  milliseconds slowest() const { return milliseconds(slowest_); }

 private:
  void run(std::uint16_t port);

  std::atomic<bool> stop_ = false;
  std::atomic<std::size_t> answered_ = 0;
  std::atomic<std::size_t> failed_ = 0;
  std::atomic<std::int64_t> slowest_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace sluice::integration
