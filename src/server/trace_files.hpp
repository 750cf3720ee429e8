#pragma once
// The files of a trace: the one that is written to and those put aside, by this process or by logrotate, compressed or
// not.

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace sluice::server {

struct TraceFile {
  std::string path;
  ino_t inode = 0;  // the same name is another file once the trace is rotated
  bool operator==(const TraceFile&) const = default;
};

struct TraceFiles {
  std::vector<TraceFile> files;  // those that may hold lines of `since` or later
  bool older = false;            // there are others
  bool operator==(const TraceFiles&) const = default;
};

// `path`: trace.path. Reads the folder; what is not there is left out.
TraceFiles trace_files(const std::string& path, std::chrono::sys_seconds since);

}  // namespace sluice::server
