#pragma once
// Finds repeated member names while objects are read, innermost first, as on a stack.

#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/api/json.hpp"

namespace sluice::json {

// Small objects are compared pairwise as keys come in, the keys of larger ones go through a hash table when they close,
// under a hash that nobody outside can foresee. Keys are compared as they read once unescaped. Offsets and lengths stay
// below 2^31.
class KeyStack {
 public:
  explicit KeyStack(std::string_view text) : text_(text) {}

  struct Frame {  // one open object
    std::size_t first = 0;
    std::size_t unescaped = 0;
    std::uint64_t marks = 0;
  };
  Frame open() const { return {keys_.size(), unescaped_.size(), 0}; }
  // `raw` lies in the text. False if the object, while it is small, has this key already.
  bool add(Frame& frame, std::string_view raw, bool escaped);
  std::size_t size() const { return keys_.size(); }
  // The key that was added as number `index`.
  Step step(std::size_t index) const { return {view(keys_[index]), 0, false, keys_[index].moved != 0}; }
  // Forgets the object's keys. The offset of a key that came twice, if there is one that `add` did not see.
  std::optional<std::size_t> close(const Frame& frame);

 private:
  struct Key {
    std::uint32_t origin;  // in the text
    std::uint32_t offset;  // in the text, or in unescaped_
    std::uint32_t length : 31;
    std::uint32_t moved : 1;
  };
  struct Slot {
    std::uint32_t hash;
    std::uint32_t place;  // in keys_, plus one; 0: free
  };
  static constexpr std::size_t kSmall = 24;

  std::string_view view(const Key& key) const {
    return std::string_view(key.moved ? std::string_view(unescaped_) : text_).substr(key.offset, key.length);
  }
  Key make(std::string_view raw, bool escaped);
  std::optional<std::size_t> repeated(const Frame& frame);
  bool insert(std::size_t index, std::uint64_t hash, std::size_t mask);

  std::string_view text_;
  boost::container::small_vector<Key, 48> keys_;
  std::string unescaped_;
  std::vector<Slot> slots_;  // a power of two of them, while an object closes
};

}  // namespace sluice::json
