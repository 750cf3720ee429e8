#include "observe/rotated_names.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <filesystem>

namespace sluice::observe {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kShape = "ddddddddTddddddZ-dddd";
constexpr std::size_t kSecondSize = 16;  // without the count
constexpr unsigned kMostPerSecond = 10'000;
constexpr std::time_t kLastSecond = 253'402'300'799;  // of the year 9999

std::string stamp_of(std::time_t second, unsigned count) {
  std::tm parts{};
  ::gmtime_r(&second, &parts);
  char text[32];
  const std::size_t size = std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ-", &parts);
  std::string digits = std::to_string(count);
  return std::string(text, size) + std::string(4 - digits.size(), '0') + digits;
}

}  // namespace

bool is_rotation_stamp(std::string_view text) {
  return std::ranges::equal(text, kShape,
                            [](char c, char shape) { return shape == 'd' ? c >= '0' && c <= '9' : c == shape; });
}

std::string rotation_stamp(std::chrono::system_clock::time_point time) {
  const std::time_t second = std::chrono::system_clock::to_time_t(time);
  return stamp_of(std::clamp<std::time_t>(second, 0, kLastSecond), 0);
}

std::string next_stamp(const std::string& stamp) {
  unsigned count = 0;
  std::from_chars(stamp.data() + kSecondSize + 1, stamp.data() + stamp.size(), count);
  std::tm parts{};
  ::strptime(stamp.substr(0, kSecondSize).c_str(), "%Y%m%dT%H%M%SZ", &parts);
  const std::time_t second = ::timegm(&parts);
  return count + 1 < kMostPerSecond ? stamp_of(second, count + 1) : stamp_of(second + 1, 0);
}

std::vector<std::string> rotated_stamps(const std::string& path) {
  const fs::path file(path);
  const std::string prefix = file.filename().string() + ".";
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  std::vector<std::string> stamps;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    const std::string_view stamp = std::string_view(name).substr(prefix.size());
    if (is_rotation_stamp(stamp)) stamps.emplace_back(stamp);
  }
  std::ranges::sort(stamps);
  return stamps;
}

bool prune_rotated(const std::string& path, std::size_t keep) {
  const auto stamps = rotated_stamps(path);
  bool good = true;
  for (std::size_t i = 0; i + keep < stamps.size(); ++i) {
    good &= ::unlink((path + "." + stamps[i]).c_str()) == 0;
  }
  return good;
}

}  // namespace sluice::observe
