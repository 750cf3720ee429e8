#pragma once
// From a file to a snapshot, with everything that can be wrong found on the way.

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "server/books.hpp"
#include "sluice/server/snapshot.hpp"

namespace sluice::server {

struct LoadedSnapshot {
  std::shared_ptr<const Snapshot> snapshot;
  std::vector<std::string> notes;
};

// The error holds one line per problem.
std::expected<LoadedSnapshot, std::vector<std::string>> load_snapshot(const std::string& file, Books& books);

}  // namespace sluice::server
