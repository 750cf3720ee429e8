#pragma once
// The operations an app can ask for. Shared vocabulary of configuration (paths), api (routing) and observe (labels).

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice {

enum class Endpoint : std::uint8_t {
  kChat,
  kCompletions,
  kEmbeddings,
  kResponses,
  kModerations,
  kModels,
  kModel,
  kFeedback,
  kNone
};
inline constexpr std::size_t kEndpoints = 9;

// Label and config name: "chat", "completions", "embeddings", "responses", "moderations", "models", "model",
// "feedback", "none".
std::string_view to_string(Endpoint endpoint);

// Whose error shape and list shape the caller reads.
enum class Dialect : std::uint8_t { kOpenai, kAnthropic };

}  // namespace sluice
