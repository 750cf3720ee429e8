#pragma once
// How much memory the process has used of what it may use.

#include <cstddef>
#include <string>

namespace sluice::server {

struct MemoryReading {
  std::size_t used = 0;
  std::size_t limit = 0;
  bool at_least(unsigned percent) const { return limit > 0 && used / percent >= limit / 100; }
};

// Measures against the configured limit (resident memory) and against that of the control group (which the kernel's
// socket buffers fill as well), whichever is nearer; with neither, against the machine's memory. One thread.
class MemoryMeter {
 public:
  // `configured` 0: none. `root` stands before /proc and /sys.
  explicit MemoryMeter(std::size_t configured, std::string root = "");
  void set_configured(std::size_t configured) { configured_ = configured; }

  // Costs some microseconds; in a control group that is over half full some more.
  MemoryReading read() const;

 private:
  MemoryReading of_process() const;
  MemoryReading of_group() const;

  std::string root_;
  std::size_t configured_;
  std::size_t machine_ = 0;
  std::size_t group_limit_ = 0;  // 0: none
  std::string group_usage_;      // files
  std::string group_stat_;
  std::string inactive_name_;
};

}  // namespace sluice::server
