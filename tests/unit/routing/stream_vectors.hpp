#pragma once
// What upstreams stream, well and badly, and what of it a client may see.

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "sluice/core/endpoint.hpp"
#include "sluice/core/error.hpp"

namespace sluice::routing::testing {

inline constexpr std::size_t kStreamEventLimit = 4096;

struct StreamVector {
  std::string name;
  std::string sent;     // event-stream text with LF
  std::string relayed;  // what reaches the client, before an error event if there is one
  std::string error;    // its code; empty: the answer is complete
  Endpoint endpoint = Endpoint::kChat;
  std::optional<ErrorKind> end = {};  // how the upstream's body ends; absent: properly
};
inline std::ostream& operator<<(std::ostream& out, const StreamVector& vector) { return out << vector.name; }

std::vector<StreamVector> stream_vectors();

}  // namespace sluice::routing::testing
