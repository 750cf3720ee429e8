// fake_upstream [--port N] [--events N] [--interval-ms N] [--answer-bytes N]
// Prints {"port":N} when it listens; runs until it is ended by a signal.

#include <cstdio>

#include "flags.hpp"
#include "upstream.hpp"

int main(int argc, char** argv) {
  using namespace sluice::bench;
  Flags flags(argc, argv);
  UpstreamOptions options;
  options.port = static_cast<std::uint16_t>(flags.number("port", options.port));
  options.events = flags.number("events", options.events);
  options.interval = std::chrono::milliseconds(flags.number("interval-ms", options.interval.count()));
  options.answer_bytes = static_cast<std::size_t>(flags.number("answer-bytes", 1024));
  flags.refuse_unknown();
  Upstream upstream(options);
  std::printf("{\"port\":%d}\n", upstream.port());
  std::fflush(stdout);
  upstream.run();
}
