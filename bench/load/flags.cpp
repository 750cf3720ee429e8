#include "flags.hpp"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace sluice::bench {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(2);
}

}  // namespace

Flags::Flags(int argc, char** argv) {
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (!name.starts_with("--") || i + 1 == argc) refuse("expected --name value, got: " + std::string(name));
    left_[std::string(name.substr(2))] = argv[i + 1];
  }
}

std::string Flags::text(const std::string& name, const std::string& otherwise) {
  const auto found = left_.find(name);
  if (found == left_.end()) return otherwise;
  std::string value = std::move(found->second);
  left_.erase(found);
  return value;
}

std::int64_t Flags::number(const std::string& name, std::int64_t otherwise) {
  const std::string value = text(name, std::to_string(otherwise));
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out);
  if (error != std::errc{} || end != value.data() + value.size()) refuse("--" + name + ": not a number: " + value);
  return out;
}

void Flags::refuse_unknown() const {
  if (!left_.empty()) refuse("unknown: --" + left_.begin()->first);
}

}  // namespace sluice::bench
