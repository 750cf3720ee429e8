#pragma once
// How long to wait before a target is tried again: exponential with full jitter (Brooker: "Exponential Backoff And
// Jitter"). Going on to another target waits for nothing. Pure.

#include "sluice/config/routing.hpp"
#include "sluice/core/clock.hpp"

namespace sluice::routing {

// Between nothing and min(most, base * 2^retry); `retry` counts from 0, `uniform` is drawn from [0, 1].
nanoseconds backoff(const config::Backoff& settings, unsigned retry, double uniform);

}  // namespace sluice::routing
