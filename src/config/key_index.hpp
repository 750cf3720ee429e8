#pragma once
// Which key of a map was the first of its name. Most maps are so small that looking through them takes less than a
// table.

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/yaml_tree.hpp"

namespace sluice::config {

class KeyIndex {
 public:
  explicit KeyIndex(const Node& map) : small_(map.entries.size() <= kSmall) { few_.reserve(small_ ? kSmall : 0); }

  // Given every key of the map in order: the first one with this name, which may be this one.
  const Child& first(const Child& key) {
    if (!small_) return *many_.try_emplace(key.node->text, &key).first->second;
    const auto same = [&](const Child* other) { return other->node->text == key.node->text; };
    const auto found = std::ranges::find_if(few_, same);
    if (found != few_.end()) return **found;
    few_.push_back(&key);
    return key;
  }

 private:
  static constexpr std::size_t kSmall = 16;
  bool small_;
  std::vector<const Child*> few_;
  std::unordered_map<std::string_view, const Child*> many_;
};

}  // namespace sluice::config
