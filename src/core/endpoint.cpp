#include "sluice/core/endpoint.hpp"

#include <array>

namespace sluice {

std::string_view to_string(Endpoint endpoint) {
  constexpr std::array<std::string_view, kEndpoints> kNames = {
      "chat", "completions", "embeddings", "responses", "moderations", "models", "model", "feedback", "none"};
  return kNames[static_cast<std::size_t>(endpoint)];
}

}  // namespace sluice
