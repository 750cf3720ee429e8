#include "sluice/config/conditions.hpp"

#include <array>

namespace sluice::config {

std::string_view to_string(Fact fact) {
  static constexpr std::array<std::string_view, kFacts> kNames = {
      "complexity",  "input_tokens", "turns",       "tools",  "images", "audio",    "max_tokens",
      "max_latency", "budget_left",  "json_schema", "stream", "code",   "endpoint", "day",
      "key",         "group",        "user",        "tags",   "time"};
  return kNames[static_cast<std::size_t>(fact)];
}

std::string_view to_string(CodeLanguage language) {
  static constexpr std::array<std::string_view, kCodeLanguages> kNames = {
      "c",   "cpp",    "csharp", "css",  "go",    "html", "java",  "javascript", "kotlin",
      "php", "python", "ruby",   "rust", "shell", "sql",  "swift", "typescript", "other"};
  return kNames[static_cast<std::size_t>(language)];
}

}  // namespace sluice::config
