#pragma once
// `--name value` pairs of the two load programs. A name that no one asked for, or a value that is no number, ends the
// program with status 2.

#include <cstdint>
#include <map>
#include <string>

namespace sluice::bench {

class Flags {
 public:
  Flags(int argc, char** argv);
  std::int64_t number(const std::string& name, std::int64_t otherwise);
  std::string text(const std::string& name, const std::string& otherwise);
  // Call after the last of the above.
  void refuse_unknown() const;

 private:
  std::map<std::string, std::string> left_;
};

}  // namespace sluice::bench
