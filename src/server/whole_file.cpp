#include "server/whole_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace sluice::server {
namespace {

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(file, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// The name is safe once the folder is; where that cannot be had, the file is good all the same.
void sync_folder_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  const int folder = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  ::fsync(folder);
  ::close(folder);
}

std::unexpected<std::string> fault(const std::string& path, int code) {
  return std::unexpected(path + ": cannot be written: " + std::strerror(code));
}

}  // namespace

std::expected<void, std::string> write_whole_file(const std::string& path, std::string_view text) {
  const std::string unfinished = path + ".part";
  const int file = ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (file < 0) return fault(path, errno);
  int code = write_all(file, text) && ::fsync(file) == 0 ? 0 : errno;
  if (::close(file) != 0 && code == 0) code = errno;
  if (code == 0 && std::rename(unfinished.c_str(), path.c_str()) != 0) code = errno;
  if (code != 0) {
    ::unlink(unfinished.c_str());
    return fault(path, code);
  }
  sync_folder_of(path);
  return {};
}

}  // namespace sluice::server
