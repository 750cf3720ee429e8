#include "support/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

namespace sluice::support {
namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> merged_environment(std::map<std::string, std::string> added) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text(*entry);
    if (!added.contains(text.substr(0, text.find('=')))) result.push_back(text);
  }
  for (const auto& [name, value] : added) result.push_back(name + "=" + value);
  return result;
}

}  // namespace

Process::Process(const std::vector<std::string>& command, const std::map<std::string, std::string>& environment) {
  // Everything is allocated before fork(): between it and exec only system calls are safe.
  std::vector<std::string> arguments(command);
  std::vector<std::string> variables = merged_environment(environment);
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(variables);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
  pipe_ = Fd(ends[0]);
  Fd write_end(ends[1]);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::signal(SIGPIPE, SIG_DFL);  // ignored signals would stay ignored
    ::dup2(write_end.get(), STDOUT_FILENO);
    ::dup2(write_end.get(), STDERR_FILENO);
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  exit_watch_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  write_end.close();
  collector_ = std::thread([this] { collect(); });
}

Process::~Process() {
  if (!exit_code_) {
    ::kill(pid_, SIGKILL);
    wait_exit(10s);
  }
  pause_output(false);
  collector_.join();
}

void Process::signal(int number) const {
  if (!exit_code_) ::kill(pid_, number);
}

std::optional<int> Process::wait_exit(milliseconds timeout) {
  if (exit_code_) return exit_code_;
  if (wait_any({{exit_watch_.get(), POLLIN}}, Clock::now() + timeout) == 0) return std::nullopt;
  int status = 0;
  ::waitpid(pid_, &status, 0);
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  // The last words may still be in the pipe.
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, 2s, [this] { return output_ended_; });
  return exit_code_;
}

std::string Process::output() const {
  const std::lock_guard lock(mutex_);
  return output_;
}

void Process::pause_output(bool paused) {
  const std::lock_guard lock(mutex_);
  output_paused_ = paused;
  changed_.notify_all();
}

bool Process::wait_output(const std::function<bool(const std::string&)>& condition, milliseconds timeout) const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return output_ended_ || condition(output_); });
  return condition(output_);
}

void Process::collect() {
  std::array<char, 4096> chunk;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !output_paused_; });
    }
    const ssize_t got = ::read(pipe_.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    const std::lock_guard lock(mutex_);
    if (got > 0) output_.append(chunk.data(), static_cast<std::size_t>(got));
    output_ended_ = got <= 0;
    changed_.notify_all();
    if (output_ended_) return;
  }
}

}  // namespace sluice::support
