// load_driver --mode requests --port N [--connections N] [--body-bytes N] [--warm-up-ms N] [--measure-ms N]
//                             [--model NAME] [--status N] [--distinct 1] [--vary model|path|method] [--names N]
//                             [--first N] [--traceparent 1]
// load_driver --mode paced    --port N [--rate N] [--connections N] [--body-bytes N] [--warm-up-ms N] [--measure-ms N]
// load_driver --mode streams  --port N [--streams N] [--events N] [--interval-ms N] [--measure-ms N]
// load_driver --mode drops    --port N --upstream N [--drops N] [--label TEXT]
// Prints JSON lines: {"phase":…} as it goes, {"result":…} last. Status 1 when an answer was wrong or missing.

#include <cstdio>

#include "closed_loop.hpp"
#include "drop_load.hpp"
#include "flags.hpp"
#include "paced_load.hpp"
#include "stream_load.hpp"

namespace sluice::bench {
namespace {

std::chrono::milliseconds ms(Flags& flags, const std::string& name, std::chrono::milliseconds otherwise) {
  return std::chrono::milliseconds(flags.number(name, otherwise.count()));
}

std::uint16_t port(Flags& flags, const std::string& name) { return static_cast<std::uint16_t>(flags.number(name, 0)); }

constexpr const char* kTraceparent = "Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n";

bool requests(Flags& flags) {
  ClosedLoopOptions options;
  options.port = port(flags, "port");
  options.connections = static_cast<std::size_t>(flags.number("connections", 1));
  options.body_bytes = static_cast<std::size_t>(flags.number("body-bytes", 1500));
  options.warm_up = ms(flags, "warm-up-ms", options.warm_up);
  options.measure = ms(flags, "measure-ms", options.measure);
  options.model = flags.text("model", options.model);
  options.status = static_cast<int>(flags.number("status", options.status));
  options.distinct = flags.number("distinct", 0) != 0;
  options.vary = flags.text("vary", "");
  options.names = flags.number("names", 0);
  options.first = flags.number("first", 0);
  if (flags.number("traceparent", 0) != 0) options.head = kTraceparent;
  flags.refuse_unknown();
  return ClosedLoop(options).run();
}

bool paced(Flags& flags) {
  PacedLoadOptions options;
  options.port = port(flags, "port");
  options.rate = flags.number("rate", options.rate);
  options.connections = static_cast<std::size_t>(flags.number("connections", 64));
  options.body_bytes = static_cast<std::size_t>(flags.number("body-bytes", 1500));
  options.warm_up = ms(flags, "warm-up-ms", options.warm_up);
  options.measure = ms(flags, "measure-ms", options.measure);
  flags.refuse_unknown();
  return PacedLoad(options).run();
}

bool streams(Flags& flags) {
  StreamLoadOptions options;
  options.port = port(flags, "port");
  options.streams = static_cast<std::size_t>(flags.number("streams", 1000));
  options.events = flags.number("events", options.events);
  options.interval = ms(flags, "interval-ms", options.interval);
  options.measure = ms(flags, "measure-ms", options.measure);
  flags.refuse_unknown();
  return StreamLoad(options).run();
}

bool drops(Flags& flags) {
  DropLoadOptions options;
  options.port = port(flags, "port");
  options.upstream = port(flags, "upstream");
  options.drops = flags.number("drops", options.drops);
  options.label = flags.text("label", options.label);
  flags.refuse_unknown();
  return DropLoad(options).run();
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  using namespace sluice::bench;
  Flags flags(argc, argv);
  const std::string mode = flags.text("mode", "");
  if (mode == "requests") return requests(flags) ? 0 : 1;
  if (mode == "paced") return paced(flags) ? 0 : 1;
  if (mode == "streams") return streams(flags) ? 0 : 1;
  if (mode == "drops") return drops(flags) ? 0 : 1;
  std::fprintf(stderr, "--mode requests, paced, streams or drops\n");
  return 2;
}
