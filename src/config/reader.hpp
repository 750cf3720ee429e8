#pragma once
// The declarative reader. A section opens a MapReader on its node and names its keys, one line each; what nobody named
// is reported when the reader goes out of scope. Nothing here stops at the first problem.

#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/report.hpp"
#include "config/yaml_tree.hpp"
#include "sluice/config/load.hpp"

namespace sluice::config {

struct Scope {  // what all readers of one file share
  const Environment& environment;
  std::string directory;  // relative file names start here; empty: the working directory
  Report report;
  std::map<std::string, bool> keys = {};        // every path that was asked for, and whether the file has it
  std::map<std::string, Position> places = {};  // where the values of those it has stand
  std::vector<std::string> files = {};          // that it names and were read
  bool records = true;                          // whether keys and places are kept
};

struct Value {  // a node at its place
  Scope* scope;
  const Node* node;
  Position at;
  Position key_at;
  std::string path;

  void fail(std::string message) const { scope->report.add(at, path, std::move(message)); }
  void fail_key(std::string message) const { scope->report.add(key_at, path, std::move(message)); }
  std::string shown() const { return in_quotes(node->text); }  // as written: references stay references
};

struct Named {  // an entry of a map whose keys are the admin's own names
  std::string name;
  Value value;
};

// All entries; a value that is no map is reported, and a null one is an empty map.
std::vector<Named> read_entries(const Value& value);
// All items; a value that is no list is reported.
std::vector<Value> read_items(const Value& value);
// The text of a scalar with its references resolved; anything else is reported.
std::optional<std::string> read_text(const Value& value);

class MapReader {
 public:
  explicit MapReader(const Value& value);
  ~MapReader();
  MapReader(const MapReader&) = delete;
  MapReader& operator=(const MapReader&) = delete;

  // Names a key, with text that outlives this. The value, if the file has one.
  std::optional<Value> find(std::string_view key);

  // Names a key and stores what `convert(value)` makes of it; `out` keeps its default when that fails. False when the
  // file does not have the key.
  template <class T, std::invocable<const Value&> Convert>
  bool read(std::string_view key, T& out, Convert&& convert) {
    auto value = find(key);
    if (!value) return false;
    if (auto converted = convert(*value)) out = std::move(*converted);
    return true;
  }
  // Names a key that `use(value)` reads on its own.
  template <std::invocable<const Value&> Use>
  bool section(std::string_view key, Use&& use) {
    auto value = find(key);
    if (value) use(*value);
    return value.has_value();
  }
  // Names a key that has no place here.
  void refuse(std::string_view key, std::string message);
  // Reports that a key is needed and was not there.
  void missing(std::string_view key, std::string message);

 private:
  Value value_;
  std::vector<Named> entries_;
  std::vector<std::string_view> known_;
};

// What holds of a whole tree: keys are plain words and come once per map, and there are no tags.
void check_tree(const Child& root, Report& report);

}  // namespace sluice::config
