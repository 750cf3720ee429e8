#pragma once
// What is known of one target, a model at a provider: whether it may be tried, how fast it is, what is under way and
// how attempts ended. Shared by all workers and by the configurations that name it. Any thread; the path of an attempt
// that goes well is relaxed atomics.

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "routing/breaker.hpp"
#include "routing/chooser.hpp"
#include "routing/latency_spread.hpp"
#include "routing/peak_ewma.hpp"

namespace sluice::routing {

struct TargetSettings {
  config::Breaker breaker{};
  PeakEwmaSettings latency{};
};

enum class AttemptEnd : std::uint8_t { kGood, kFault, kNeutral, kAborted };  // the first three as Outcome
inline constexpr std::array<std::string_view, 4> kAttemptEndNames = {"good", "fault", "neutral", "aborted"};

// For display; the members need not be of the same instant.
struct TargetView {
  std::string provider;
  std::string model;
  BreakerView breaker;
  std::optional<double> latency;  // to the first token, in milliseconds
  std::uint32_t in_flight = 0;
  std::array<std::uint64_t, kAttemptEndNames.size()> ended{};  // by AttemptEnd
};

class TargetState {
 public:
  // One try, under way as long as it lives. Destroyed without an end it was aborted, which says nothing about the
  // target; if it was a probe, another may go. One thread at a time; the state outlives it.
  class Attempt {
   public:
    Attempt(Attempt&& other) noexcept : state_(std::exchange(other.state_, nullptr)), pass_(std::move(other.pass_)) {}
    Attempt& operator=(Attempt&&) = delete;
    ~Attempt();

    bool probe() const { return pass_.probe(); }
    // The first good event, or the answer, has come: a probe has succeeded, though the attempt goes on.
    void answered(nanoseconds since_begin, TimePoint now);
    // It is given up before that: the target is at least so slow.
    void waited(nanoseconds since_begin, TimePoint now);
    // Once. A fault counts after `answered` too: a stream that was cut.
    void ended(Outcome outcome, TimePoint now);

   private:
    friend class TargetState;
    Attempt(TargetState& state, Breaker::Pass pass) : state_(&state), pass_(std::move(pass)) {}
    TargetState* state_;
    Breaker::Pass pass_;
  };

  TargetState(std::string provider, std::string model, const TargetSettings& settings);
  TargetState(const TargetState&) = delete;
  TargetState& operator=(const TargetState&) = delete;

  // Nothing while it is ejected, or when another attempt probes it.
  std::optional<Attempt> begin(TimePoint now);
  // For choose(): all but tier, weight and price, which are the route's. Without the latency it takes half the time.
  Candidate candidate(TimePoint now, bool with_latency = true) const;
  // The time to the first token that so many percent of the attempts stay below; nothing: too few are known.
  std::optional<milliseconds> first_token_percentile(unsigned percent) const { return spread_.percentile(percent); }
  bool available(TimePoint now) const { return breaker_.admits(now); }
  TimePoint available_at(TimePoint now) const { return breaker_.admits_at(now); }  // for a client's retry-after
  TargetView view(TimePoint now) const;
  // See Breaker.
  void mark_unhealthy(TimePoint until) { breaker_.mark_unhealthy(until); }
  void mark_healthy(TimePoint now) { breaker_.mark_healthy(now); }
  void adopt(const TargetSettings& settings);

  const std::string& provider() const { return provider_; }
  const std::string& model() const { return model_; }
  std::uint64_t identity() const { return identity_; }  // the same in every process

 private:
  void end(AttemptEnd end);

  std::string provider_;
  std::string model_;
  std::uint64_t identity_;
  Breaker breaker_;
  PeakEwma latency_;
  LatencySpread spread_;
  std::atomic<std::uint32_t> in_flight_{0};
  std::array<std::atomic<std::uint64_t>, kAttemptEndNames.size()> ended_{};
};

}  // namespace sluice::routing
