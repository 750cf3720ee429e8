#include "server/trace_files.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "observe/rotated_names.hpp"

namespace sluice::server {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPacked = ".gz";

// What may stand behind the trace's own name: ".20261121T052758Z-0000" is ours, ".1" and "-20261121" are logrotate's.
// Anybody's copy, such as ".bak", would be counted twice.
bool is_put_aside(std::string_view rest) {
  if (rest.size() < 2 || (rest.front() != '.' && rest.front() != '-')) return false;
  return rest.find_first_not_of("0123456789TZ-", 1) == rest.npos;
}

// The names in the folder that belong to the trace; while one is being compressed it is there twice, and once is
// enough.
std::set<std::string> names_of(const fs::path& file) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  const std::string own = file.filename().string();
  std::set<std::string> names;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(own)) continue;
    std::string_view rest = std::string_view(name).substr(own.size());
    if (rest.ends_with(kPacked)) rest.remove_suffix(kPacked.size());
    if (rest.empty() ? name == own : is_put_aside(rest)) names.insert(name);
  }
  std::erase_if(names, [&](const std::string& name) {
    return name.ends_with(kPacked) && names.contains(name.substr(0, name.size() - kPacked.size()));
  });
  return names;
}

}  // namespace

TraceFiles trace_files(const std::string& path, std::chrono::sys_seconds since) {
  const fs::path file(path);
  const std::string first_stamp = observe::rotation_stamp(since);
  const std::size_t own = file.filename().string().size();
  TraceFiles all;
  for (const std::string& name : names_of(file)) {
    const std::string stamp = name.substr(std::min(own + 1, name.size()), first_stamp.size());
    if (observe::is_rotation_stamp(stamp) && stamp < first_stamp) {  // put aside before that
      all.older = true;
      continue;
    }
    const std::string whole = (file.parent_path() / name).string();
    struct stat status{};
    if (::stat(whole.c_str(), &status) == 0 && S_ISREG(status.st_mode)) all.files.push_back({whole, status.st_ino});
  }
  return all;
}

}  // namespace sluice::server
