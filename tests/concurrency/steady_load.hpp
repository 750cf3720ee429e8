#pragma once
// Clients that ask without a pause, each on a connection that it keeps as long as the server does, and count what went
// wrong. They behave as a good HTTP library does: a connection that the server has closed, or said it would close, is
// replaced before the next request.

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "integration/fixture.hpp"

namespace sluice::integration {

struct LoadOptions {
  std::uint16_t port = 0;
  int plain = 3;                 // clients that ask for whole answers
  int streaming = 2;             // clients that ask for streams
  bool new_connections = false;  // one for every request
  std::string model = "m";
  milliseconds pause{3};  // between two requests of a client
};

class SteadyLoad {
 public:
  explicit SteadyLoad(LoadOptions options);
  ~SteadyLoad() { stop(); }
  SteadyLoad(const SteadyLoad&) = delete;
  SteadyLoad& operator=(const SteadyLoad&) = delete;

  void stop();
  int requests() const { return requests_; }
  int failed() const { return failed_; }
  std::string first_failure() const;

 private:
  void ask_on(bool stream);
  void judge(const Response& response, bool stream);
  void note_failure(const std::string& what);

  LoadOptions options_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> requests_ = 0;
  std::atomic<int> failed_ = 0;
  mutable std::mutex mutex_;
  std::string first_failure_;
  std::vector<std::thread> clients_;
};

}  // namespace sluice::integration
