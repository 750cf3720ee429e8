#include "sluice/cache/entry.hpp"

namespace sluice::cache {
namespace {

// The entry, its counts, its places in a queue and in an index, and what the allocator adds to each.
constexpr std::size_t kOverhead = 720;

// Of an allocator's memory so much lies between what is in use, when answers of all sizes come and go.
constexpr std::size_t kGaps = 16;

std::size_t heap_of(const std::string& text) { return text.capacity() > 15 ? text.capacity() + 16 : 0; }

}  // namespace

std::size_t weight_of(const Entry& entry) {
  std::size_t weight = kOverhead + entry.pieces.capacity() * sizeof(Entry::Piece);
  for (const auto* text : {&entry.body, &entry.usage_event, &entry.finish_reason, &entry.provider, &entry.model,
                           &entry.scope, &entry.key_name}) {
    weight += heap_of(*text);
  }
  for (const auto* list : {&entry.models, &entry.tags}) {
    for (const std::string& text : *list) weight += sizeof text + heap_of(text);
  }
  return weight + weight / kGaps;
}

}  // namespace sluice::cache
