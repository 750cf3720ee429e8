#include "server/overload.hpp"

#include <malloc.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

namespace sluice::server {
namespace {

constexpr auto kInterval = milliseconds(50);
constexpr auto kReliefInterval = milliseconds(250);  // for what was cut to be gone before more is
constexpr auto kLastWords = milliseconds(200);       // for the log's writer, before the process is ended
constexpr auto kTrimInterval = milliseconds(1000);   // a trim holds up whoever allocates
constexpr std::size_t kOwnDescriptors = 64;          // files, listeners, look-ups
constexpr std::size_t kPerWorker = 24;               // event loop, reserve, those being refused
constexpr std::size_t kFewest = 8;
constexpr std::size_t kMost = 1'000'000;
constexpr unsigned kHysteresis = 5;  // percent below shed_at until requests are taken again

double mebibytes(std::size_t bytes) { return static_cast<double>(bytes) / (1024.0 * 1024.0); }

}  // namespace

std::size_t descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  return static_cast<std::size_t>(std::min<rlim_t>(limit.rlim_cur, kMost * 4));
}

std::size_t connections_that_fit(unsigned workers) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  const std::size_t ours = kOwnDescriptors + kPerWorker * (workers + 1);
  const std::size_t all = descriptor_limit();
  return std::clamp(all > ours ? (all - ours) / 2 : 0, kFewest, kMost);
}

int StillLoops::look(const std::vector<std::uint64_t>& beats, std::uint64_t patience) {
  seen_.resize(beats.size());
  for (std::size_t i = 0; i < beats.size(); ++i) {
    Seen& seen = seen_[i];
    seen.unchanged = beats[i] == seen.beats ? seen.unchanged + 1 : 0;
    seen.beats = beats[i];
    if (seen.unchanged >= patience) return static_cast<int>(i);
  }
  return -1;
}

Overload::Overload(net::io_context& control, const Workers& workers)
    : workers_(workers), timer_(control.get_executor()) {}

void Overload::configure(const config::Overload& settings) {
  settings_ = settings;
  meter_.set_configured(settings.memory);
}

void Overload::start() {
  if (ticking_) return;
  tick();
  timer_.expires_after(kInterval);
  timer_.async_wait([this](const boost::system::error_code& error) {
    ticking_ = false;
    if (!error) start();
  });
  ticking_ = true;
}

void Overload::tick() {
  watch_memory();
  watch_loops();
}

void Overload::watch_memory() {
  memory_ = meter_.read();
  const bool was = shedding_;
  const unsigned bound =
      was ? settings_.shed_percent - std::min(settings_.shed_percent, kHysteresis) : settings_.shed_percent;
  shedding_ = memory_.at_least(bound);
  if (shedding_ != was) {
    spdlog::warn("memory: {:.0f} of {:.0f} MiB; new requests are {}", mebibytes(memory_.used), mebibytes(memory_.limit),
                 shedding_ ? "answered 503" : "taken again");
  }
  if (!shedding_ || Clock::now() < next_relief_) return;
  ::malloc_trim(0);  // what is free inside the process must not count as used
  memory_ = meter_.read();
  const bool cutting = memory_.at_least(settings_.cut_percent);
  next_relief_ = Clock::now() + (cutting ? kReliefInterval : kTrimInterval);
  if (!cutting) return;
  const std::size_t wanted = memory_.used - memory_.limit / 100 * settings_.shed_percent;
  spdlog::warn("memory: {:.0f} of {:.0f} MiB; cutting the largest streams to get {:.0f} MiB back",
               mebibytes(memory_.used), mebibytes(memory_.limit), mebibytes(wanted));
  for (const auto& worker : workers_) worker->cut_largest(wanted / workers_.size() + 1);
}

void Overload::watch_loops() {
  if (settings_.watchdog == milliseconds(0)) return;
  std::vector<std::uint64_t> beats;
  for (const auto& worker : workers_) beats.push_back(worker->beats());
  const int still = still_.look(beats, static_cast<std::uint64_t>(settings_.watchdog / kInterval));
  if (still < 0) return;
  spdlog::critical("worker {} has stood still for {} ms; ending the process", still, settings_.watchdog.count());
  std::this_thread::sleep_for(kLastWords);
  std::abort();
}

}  // namespace sluice::server
