#include "sluice/core/trace_context.hpp"

#include <gtest/gtest.h>

#include <set>

namespace sluice {
namespace {

constexpr std::string_view kGood = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";  // of the specification

std::string trace_id(const TraceContext& trace) {
  std::string out;
  append_trace_id(out, trace);
  return out;
}

TEST(TraceContext, GoesOnWithWhatTheClientBegan) {
  const TraceContext trace = continue_trace(kGood);
  EXPECT_EQ(trace_id(trace), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(trace.parent, 0x00f067aa0ba902b7U);
  EXPECT_TRUE(trace.has_parent());
  EXPECT_NE(trace.span, trace.parent);
  EXPECT_EQ(traceparent_of(trace, 0x1), "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000001-01");
  const TraceContext unkept = continue_trace("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00");
  EXPECT_TRUE(traceparent_of(unkept, 1).ends_with("-00"));
}

TEST(TraceContext, LaterVersionsAreReadAsFarAsTheyAreKnown) {
  EXPECT_TRUE(continue_trace("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes").has_parent());
  EXPECT_TRUE(continue_trace("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").has_parent());
}

TEST(TraceContext, WhatCannotBeReadBeginsATraceOfItsOwn) {
  for (const std::string_view bad : {"", "00", "00-1-2-01", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                                     "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
                                     "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
                                     "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                                     "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                                     "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                                     "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                                     "00-4bf92f3577b34da6a3ce929d0e0e473x-00f067aa0ba902b7-01",
                                     "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01what"}) {
    const TraceContext trace = continue_trace(bad);
    EXPECT_FALSE(trace.has_parent()) << bad;
    EXPECT_NE(trace_id(trace), "4bf92f3577b34da6a3ce929d0e0e4736") << bad;
    EXPECT_NE(trace.high | trace.low, 0U);
  }
}

TEST(TraceContext, NoTwoAreAlike) {
  std::set<std::string> traces;
  std::set<std::uint64_t> spans;
  for (int i = 0; i < 1000; ++i) {
    const TraceContext trace = continue_trace("");
    traces.insert(trace_id(trace));
    spans.insert(trace.span);
  }
  EXPECT_EQ(traces.size(), 1000U);
  EXPECT_EQ(spans.size(), 1000U);
}

}  // namespace
}  // namespace sluice
