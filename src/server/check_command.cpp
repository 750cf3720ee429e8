#include <cstdio>

#include "server/load.hpp"
#include "sluice/server/gateway.hpp"

namespace sluice::server {
namespace {

std::string counted(std::size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

}  // namespace

int check(const std::string& config_file) {
  Books books;
  auto loaded = load_snapshot(config_file, books);
  if (!loaded) {
    for (const auto& line : loaded.error()) std::fprintf(stderr, "%s\n", line.c_str());
    return kExitConfig;
  }
  for (const auto& note : loaded->notes) std::printf("%s: note: %s\n", config_file.c_str(), note.c_str());
  const config::Config& config = loaded->snapshot->config;
  std::printf("%s: good (%s, %s, %s, %s)\n", config_file.c_str(), counted(config.providers.size(), "provider").c_str(),
              counted(config.models.size(), "model").c_str(), counted(config.keys.size(), "key").c_str(),
              counted(config.groups.size(), "group").c_str());
  return kExitOk;
}

}  // namespace sluice::server
