#pragma once
// `sluice report`: questions to the files that the gateway has traced into, answered in one pass over them however
// large they are. Files put aside and compressed with gzip are read as they are. docs/traces.md shows what comes out.

#include <cstddef>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace sluice::report {

struct Options {
  std::string what;              // cost, latency, errors, tools or runs
  std::vector<std::string> by;   // of dimensions(); empty: model; of errors error, of tools tool, of runs run
  std::string since, until;      // a time (RFC 3339, or its date alone), or how long ago: 90m, 24h, 7d; empty: no bound
  std::string format = "table";  // or csv, or json
  std::size_t rows = 50;         // most of a table; 0: all
  std::vector<std::string> files;  // - is standard input
};

// What rows may be by: members of a line, times, and "tag:NAME".
std::vector<std::string> dimensions();

// Adds the command and its options. They are in `options` once it has been parsed, and outlive `app`.
CLI::App* add_command(CLI::App& app, Options& options);

// Prints the report, and what was not read to standard error. Exit codes: 0 good, 1 a file could not be read, 2 the
// options make no sense.
int run(const Options& options);

}  // namespace sluice::report
