#pragma once
// How long to wait before a target is tried again: exponential with full jitter (Brooker: "Exponential Backoff And
// Jitter"). Going on to another target waits for nothing. Pure.

#include "sluice/core/clock.hpp"

namespace sluice::routing {

struct BackoffSettings {
  milliseconds base{250};
  milliseconds most{2000};
};

// Between nothing and min(most, base * 2^retry); `retry` counts from 0, `uniform` is drawn from [0, 1].
nanoseconds backoff(const BackoffSettings& settings, unsigned retry, double uniform);

}  // namespace sluice::routing
