#include "server/memory.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>

namespace sluice::server {
namespace {

std::optional<std::size_t> number_in(const std::string& file) {
  std::ifstream in(file);
  std::size_t value = 0;
  if (in >> value) return value;  // "max" is no number
  return std::nullopt;
}

// The number after a name, in files of lines "name number".
std::size_t named_number(const std::string& file, const std::string& wanted) {
  std::ifstream in(file);
  std::string name;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::size_t value = 0;
    if (words >> name >> value && name == wanted) return value;
  }
  return 0;
}

struct Group {
  std::string directory;
  bool unified = true;  // version 2 of control groups
};

// From /proc/self/cgroup (cgroups(7)): "0::/path" for version 2, "4:memory:/path" for version 1.
std::optional<Group> memory_group(const std::string& root) {
  std::ifstream in(root + "/proc/self/cgroup");
  std::optional<Group> found;
  for (std::string line; std::getline(in, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string path = line.substr(second + 1);
    if (controllers.contains(",memory,")) return Group{root + "/sys/fs/cgroup/memory" + path, false};
    if (controllers == ",,") found = Group{root + "/sys/fs/cgroup" + path, true};
  }
  return found;
}

}  // namespace

MemoryMeter::MemoryMeter(std::size_t configured, std::string root) : root_(std::move(root)), configured_(configured) {
  machine_ = named_number(root_ + "/proc/meminfo", "MemTotal:") * 1024;
  const auto group = memory_group(root_);
  if (!group) return;
  const std::string top = root_ + (group->unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory");
  std::size_t least = std::numeric_limits<std::size_t>::max();
  // A parent's limit binds as well; the nearest to the top that exists is what a container sees as its own.
  for (std::string at = group->directory; at.size() >= top.size(); at.resize(at.find_last_of('/'))) {
    const auto limit = number_in(at + (group->unified ? "/memory.max" : "/memory.limit_in_bytes"));
    if (!limit || *limit >= least || (machine_ > 0 && *limit >= machine_)) continue;
    least = group_limit_ = *limit;
    group_usage_ = at + (group->unified ? "/memory.current" : "/memory.usage_in_bytes");
    group_stat_ = at + "/memory.stat";
    inactive_name_ = group->unified ? "inactive_file" : "total_inactive_file";
  }
}

MemoryReading MemoryMeter::of_process() const {
  std::ifstream statm(root_ + "/proc/self/statm");
  std::size_t total = 0, resident = 0;
  statm >> total >> resident;
  return {resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)), configured_ > 0 ? configured_ : machine_};
}

// File pages that nobody needs count as used until the kernel wants them back. Asking how many is not cheap, so it is
// done only where it could matter.
MemoryReading MemoryMeter::of_group() const {
  MemoryReading reading{number_in(group_usage_).value_or(0), group_limit_};
  if (reading.at_least(50)) reading.used -= std::min(reading.used, named_number(group_stat_, inactive_name_));
  return reading;
}

MemoryReading MemoryMeter::read() const {
  const MemoryReading process = of_process();
  if (group_limit_ == 0) return process;
  const MemoryReading group = of_group();
  const auto share = [](const MemoryReading& of) {
    return of.limit == 0 ? 0.0 : static_cast<double>(of.used) / static_cast<double>(of.limit);
  };
  return share(group) > share(process) ? group : process;
}

}  // namespace sluice::server
