#pragma once
// A directory that disappears with its owner.

#include <filesystem>
#include <string>
#include <string_view>

namespace sluice::support {

class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  std::string path(std::string_view file) const { return (path_ / file).string(); }
  std::string path() const { return path_.string(); }
  void write(std::string_view file, std::string_view text) const;
  std::string read(std::string_view file) const;  // empty if there is none

 private:
  std::filesystem::path path_;
};

}  // namespace sluice::support
