#pragma once
// YAML text as a tree that keeps every position and every duplicate key. Bounded: nesting, nodes, alias expansion.

#include <cstddef>
#include <deque>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "config/source.hpp"

namespace sluice::config {

inline constexpr std::size_t kMaxDepth = 32;
inline constexpr std::size_t kMaxNodes = 100'000;  // with every alias counted at the size of what it stands for

struct Node;

struct Child {
  const Node* node = nullptr;
  Position at;  // of the alias, where one stands for the node
  bool alias = false;
};

struct Entry {
  Child key;
  Child value;
};

struct Node {
  enum class Kind : std::uint8_t { kNull, kText, kList, kMap };
  Kind kind = Kind::kNull;
  std::string text;
  bool tagged = false;  // an explicit tag, such as !!str
  std::vector<Child> items;
  std::vector<Entry> entries;
  std::size_t weight = 1;  // nodes in here, aliases expanded
  std::size_t height = 1;  // levels in here, aliases expanded
  bool open = false;       // still being built: an alias to it would be a cycle
};

struct Tree {
  std::deque<Node> nodes;  // stable addresses
  Child root;              // node == nullptr: the file holds no document
};

// A syntax error, a second document, or a bound that was exceeded. Thread-safe.
std::expected<Tree, Problem> parse_yaml(std::string_view text);

}  // namespace sluice::config
