#pragma once
// The words that say something about a prompt, in a table that is asked once per word of it.

#include <cstdint>
#include <span>
#include <string_view>

namespace sluice::routing {

enum class PhraseKind : std::uint8_t { kReasoning, kConstraint, kCode };

struct Phrase {
  std::string_view text;  // lower case
  PhraseKind kind = PhraseKind::kReasoning;
  std::uint8_t language = 0;  // kCode: a config::CodeLanguage
  bool stem = false;          // may go on
};

// Those that begin with the first byte; empty if none of them goes on with the second.
std::span<const Phrase> phrases_at(unsigned char first, unsigned char second);

// A name behind ``` to its language; nothing for one that is not known.
const std::uint8_t* language_of_fence(std::string_view name);

}  // namespace sluice::routing
