#pragma once
// A child process whose output is collected while it runs. Killed and reaped, at the latest, by the destructor.

#include <sys/types.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/socket.hpp"

namespace sluice::support {

class Process {
 public:
  // `environment` is added to ours. Standard output and error end up in one text.
  Process(const std::vector<std::string>& command, const std::map<std::string, std::string>& environment);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  // Exit code, 128 + signal if it was killed; nothing when it still runs after `timeout`.
  std::optional<int> wait_exit(milliseconds timeout);
  std::string output() const;
  // A reader that has stopped reading: the process may fill the pipe and then has to wait.
  void pause_output(bool paused);
  bool wait_output(const std::function<bool(const std::string&)>& condition, milliseconds timeout) const;

 private:
  void collect();

  pid_t pid_ = -1;
  Fd exit_watch_;
  Fd pipe_;
  std::optional<int> exit_code_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::string output_;
  bool output_ended_ = false;
  bool output_paused_ = false;
  std::thread collector_;
};

}  // namespace sluice::support
