#pragma once
// Bucket bounds, in seconds if nothing else is said. The first three are those of the OpenTelemetry GenAI metrics.

#include <array>
#include <span>

namespace sluice::observe {

inline constexpr std::array kDurationBounds = {0.01, 0.02, 0.04, 0.08,  0.16,  0.32,  0.64,
                                               1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92};
inline constexpr std::array kFirstTokenBounds = {0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1,
                                                 0.25,  0.5,   0.75, 1.0,  2.5,  5.0,  7.5,  10.0};
inline constexpr std::array kPerTokenBounds = {0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5};
inline constexpr std::array kOverheadBounds = {0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005,
                                               0.001,   0.0025,   0.005,   0.01,   0.025,   0.1};
inline constexpr std::array kStageBounds = {0.00001, 0.00005, 0.00025, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0};
inline constexpr std::array kSpeedBounds = {1.0, 5.0, 10.0, 20.0, 40.0, 60.0, 80.0, 100.0, 150.0, 200.0, 400.0, 1000.0};
// In tokens, as the OpenTelemetry GenAI metrics have them.
inline constexpr std::array kTokenBounds = {1.0,     4.0,     16.0,     64.0,      256.0,     1024.0,     4096.0,
                                            16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0, 16777216.0, 67108864.0};
// Of what is measured of requests, in the order of Metrics::Measure.
inline constexpr std::array<std::span<const double>, 8> kMeasureBounds = {
    kDurationBounds, kFirstTokenBounds, kPerTokenBounds, kOverheadBounds,
    kDurationBounds, kSpeedBounds,      kTokenBounds,    kTokenBounds};
inline constexpr std::array kLoopLagBounds = {0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                              0.05,   0.1,    0.25,  0.5,    1.0,   2.5,  10.0};

}  // namespace sluice::observe
