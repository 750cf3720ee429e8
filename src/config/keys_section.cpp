// keys: a list, or a map of a list and a file with one JSON object per line, which may hold very many.

#include <algorithm>
#include <deque>
#include <unordered_map>

#include "config/included.hpp"
#include "config/json_line.hpp"
#include "config/key_row.hpp"
#include "config/sections.hpp"

namespace sluice::config {
namespace {

constexpr std::size_t kMostFileBytes = 256UL * 1024 * 1024;
constexpr std::size_t kMostProblems = 100;  // of a keys file; whoever makes it has one mistake in every line

// How many limits a request meets, at the most.
class PathLength {
 public:
  explicit PathLength(const Config& config) : config_(config) {
    std::size_t model = 0;
    std::size_t provider = 0;
    for (const Model& one : config.models) model = std::max(model, one.limits.size());
    for (const auto& [name, one] : config.providers) provider = std::max(provider, one.limits.size());
    everywhere_ = model + provider + (config.admission.concurrency ? 1 : 0);
  }

  std::size_t of(const Key& key) const {
    return everywhere_ + above(key.group) + key.limits.size() + key.each_user.size();
  }

 private:
  std::size_t above(const std::string& path) const {
    std::size_t count = 0;
    for (std::size_t end = 0; end < path.size();) {
      end = std::min(path.find('/', end + 1), path.size());
      const auto group = config_.groups.find(path.substr(0, end));
      if (group != config_.groups.end()) count += group->second.limits.size() + group->second.each_user.size();
    }
    return count;
  }

  const Config& config_;
  std::size_t everywhere_ = 0;
};

class KeysReader {
 public:
  KeysReader(Scope& scope, std::vector<Key>& keys) : scope_(scope), keys_(keys) {}

  void read_list(const Value& list) {
    if (list.node->kind == Node::Kind::kNull) return;
    for (const Value& row : read_items(list)) add(row, "");
  }

  void read_file(const Value& value) {
    const auto file = read_included(value, kMostFileBytes);
    if (!file) return;
    const auto lines = static_cast<std::size_t>(std::ranges::count(file->text, '\n')) + 1;
    keys_.reserve(lines);
    rows_.reserve(lines);
    Scope lines_scope{scope_.environment, scope_.directory, {}};
    lines_scope.records = false;
    read_lines(*file, lines_scope);
    add_problems(lines_scope.report, *file, scope_.report);
  }

  // Once all are read: no two have the same name or the same id.
  void check_unique() {
    std::unordered_map<std::string_view, const Row*> names;
    std::unordered_map<std::string_view, const Row*> ids;
    names.reserve(keys_.size());
    ids.reserve(keys_.size());
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      const Row& row = rows_[i];
      const auto same_name = names.try_emplace(keys_[i].name, &row);
      const auto same_id = ids.try_emplace(keys_[i].hash.id, &row);
      if (!keys_[i].name.empty() && !same_name.second) {
        const Row& other = *same_name.first->second;
        tell(row, row.places.name, "name", "the key at " + place(other, other.places.name) + " has this name already");
      }
      if (!keys_[i].hash.id.empty() && !same_id.second) {
        const Row& other = *same_id.first->second;
        tell(row, row.places.id, "hash", "the key at " + place(other, other.places.id) + " has this id already");
      }
    }
  }

  void check_paths(const PathLength& paths) {
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      const std::size_t count = paths.of(keys_[i]);
      if (count <= kMostTakes) continue;
      tell(rows_[i], rows_[i].places.name, "limits",
           "a request with this key meets up to " + std::to_string(count) +
               " limits, counting those of groups, models " + "and providers; at most " + std::to_string(kMostTakes));
    }
  }

 private:
  struct Row {
    KeyPlaces places;
    std::string path;
    std::string_view file;  // empty: the configuration itself
  };

  void add(const Value& row, std::string_view file) {
    Key& key = keys_.emplace_back();
    rows_.push_back({read_key(row, key), row.path, file});
  }

  void read_lines(const Included& file, Scope& lines_scope) {
    const std::string_view name = names_of_files_.emplace_back(file.name);
    std::deque<Node> nodes;
    std::string_view rest = file.text;
    for (int line = 1; !rest.empty() && lines_scope.report.count() < kMostProblems; ++line) {
      const auto end = std::min(rest.find('\n'), rest.size());
      const std::string_view text = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (text.find_first_not_of(" \t\r") == text.npos) continue;
      nodes.clear();
      const auto root = parse_json_line(text, line, nodes);
      if (!root) {
        lines_scope.report.add(root.error());
        continue;
      }
      check_tree(*root, lines_scope.report);
      add({&lines_scope, root->node, root->at, root->at, ""}, name);
    }
  }

  static std::string place(const Row& row, Position at) {
    const std::string line = std::to_string(at.line) + ":" + std::to_string(at.column);
    return row.file.empty() ? line : std::string(row.file) + ":" + line;
  }

  void tell(const Row& row, Position at, std::string_view member, std::string message) {
    scope_.report.add({at.line, at.column, join(row.path, member), std::move(message), std::string(row.file)});
  }

  Scope& scope_;
  std::vector<Key>& keys_;
  std::vector<Row> rows_;                   // as many as keys, in the same order
  std::deque<std::string> names_of_files_;  // stable, for the rows
};

}  // namespace

void read_keys(const Value& section, Config& config) {
  config.has_keys = true;
  KeysReader reader(*section.scope, config.keys);
  if (section.node->kind == Node::Kind::kMap) {
    MapReader map(section);
    map.section("file", [&](const Value& file) { reader.read_file(file); });
    map.section("list", [&](const Value& list) { reader.read_list(list); });
  } else {
    reader.read_list(section);
  }
  reader.check_unique();
  reader.check_paths(PathLength(config));
}

}  // namespace sluice::config
