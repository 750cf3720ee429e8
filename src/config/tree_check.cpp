#include <algorithm>

#include "config/key_index.hpp"
#include "config/reader.hpp"

namespace sluice::config {
namespace {

class TreeCheck {
 public:
  explicit TreeCheck(Report& report) : report_(report) {}

  void visit(const Child& child, const std::string& path) {
    if (child.alias) return;  // checked where it is defined
    if (child.node->tagged) report_.add(child.at, path, "tags are not supported; write the plain value");
    for (std::size_t i = 0; i < child.node->items.size(); ++i) visit(child.node->items[i], join(path, i));
    visit_entries(*child.node, path);
  }

 private:
  void visit_entries(const Node& map, const std::string& path) {
    KeyIndex seen(map);
    for (const auto& [key, value] : map.entries) {
      if (!check_key(key, path)) continue;
      std::string entry = join(path, key.node->text);
      const Child& first = seen.first(key);
      if (&first != &key)
        report_.add(key.at, entry, "duplicate key; it is already on line " + std::to_string(first.at.line));
      visit(value, entry);
    }
  }

  bool check_key(const Child& key, const std::string& path) {
    if (key.node->kind != Node::Kind::kText) {
      report_.add(key.at, path, "a key must be text");
      return false;
    }
    if (key.node->tagged) report_.add(key.at, path, "tags are not supported; write the plain key");
    bool control = std::ranges::any_of(key.node->text, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
    if (control) report_.add(key.at, path, "a key must not hold control characters");
    if (key.node->text.empty()) report_.add(key.at, path, "a key must not be empty");
    return true;
  }

  Report& report_;
};

}  // namespace

void check_tree(const Child& root, Report& report) { TreeCheck(report).visit(root, ""); }

}  // namespace sluice::config
