#include "config/reader.hpp"

#include <algorithm>

#include "config/interpolate.hpp"
#include "config/key_index.hpp"

namespace sluice::config {
namespace {

constexpr std::size_t kUsual = 16;  // keys that a map may have

std::string kind_name(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kText:
      return "text";
    case Node::Kind::kList:
      return "a list";
    case Node::Kind::kMap:
      return "a map";
    case Node::Kind::kNull:
      break;
  }
  return "nothing";
}

void fail_kind(const Value& value, const std::string& expected) {
  value.fail("expected " + expected + ", found " + kind_name(*value.node));
}

}  // namespace

std::vector<Named> read_entries(const Value& value) {
  std::vector<Named> out;
  if (value.node->kind == Node::Kind::kNull) return out;
  if (value.node->kind != Node::Kind::kMap) {
    fail_kind(value, "a map");
    return out;
  }
  KeyIndex seen(*value.node);
  out.reserve(value.node->entries.size());
  for (const auto& [key, child] : value.node->entries) {
    bool text = key.node->kind == Node::Kind::kText;
    if (!text || &seen.first(key) != &key) continue;  // check_tree has told
    bool null = child.node->kind == Node::Kind::kNull;
    const std::string& name = key.node->text;
    out.push_back({name, {value.scope, child.node, null ? key.at : child.at, key.at, join(value.path, name)}});
  }
  return out;
}

std::vector<Value> read_items(const Value& value) {
  std::vector<Value> out;
  if (value.node->kind != Node::Kind::kList) fail_kind(value, "a list");
  for (const Child& item : value.node->items) {
    out.push_back({value.scope, item.node, item.at, item.at, join(value.path, out.size())});
  }
  return out;
}

std::optional<std::string> read_text(const Value& value) {
  if (value.node->kind != Node::Kind::kText) {
    fail_kind(value, "text");
    return std::nullopt;
  }
  Expanded expanded = interpolate(value.node->text, value.scope->environment);
  for (std::string& error : expanded.errors) value.fail(std::move(error));
  if (expanded.text.find('\0') != std::string::npos) {
    value.fail("holds a zero byte");
    return std::nullopt;
  }
  if (!expanded.errors.empty()) return std::nullopt;
  return std::move(expanded.text);
}

MapReader::MapReader(const Value& value) : value_(value), entries_(read_entries(value)) { known_.reserve(kUsual); }

MapReader::~MapReader() {
  for (const Named& entry : entries_) {
    if (std::ranges::find(known_, entry.name) != known_.end()) continue;
    const std::vector<std::string> known(known_.begin(), known_.end());
    entry.value.fail_key(entry.name == "<<"
                             ? "merge keys are not supported; repeat the keys, or use an alias as a value"
                             : "unknown key; " + suggestion(entry.name, known));
  }
}

std::optional<Value> MapReader::find(std::string_view key) {
  known_.push_back(key);
  auto entry = std::ranges::find(entries_, key, &Named::name);
  bool found = entry != entries_.end();
  if (value_.scope->records) {
    value_.scope->keys[join(value_.path, key)] |= found;
    if (found) value_.scope->places[entry->value.path] = entry->value.at;
  }
  return found ? std::optional(entry->value) : std::nullopt;
}

void MapReader::refuse(std::string_view key, std::string message) {
  if (auto value = find(key)) value->fail_key(std::move(message));
}

void MapReader::missing(std::string_view key, std::string message) {
  bool map = value_.node->kind == Node::Kind::kMap || value_.node->kind == Node::Kind::kNull;
  if (map) value_.scope->report.add(value_.key_at, join(value_.path, key), "is missing; " + std::move(message));
}

}  // namespace sluice::config
