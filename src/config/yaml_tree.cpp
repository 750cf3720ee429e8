#include "config/yaml_tree.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <unordered_map>
#include <utility>

namespace sluice::config {
namespace {

Position end_of(std::string_view text) {
  const auto line_start = text.rfind('\n') + 1;
  return {static_cast<int>(std::ranges::count(text, '\n')) + 1, static_cast<int>(text.size() - line_start) + 1};
}

// Never beyond the end of the file, although more than the file is parsed.
Position position(const YAML::Mark& mark, Position end) {
  const Position at{std::max(mark.line, 0) + 1, std::max(mark.column, 0) + 1};
  return at.line > end.line ? end : at;
}

struct Refused {  // thrown through yaml-cpp to stop it
  Position at;
  std::string message;
};

bool is_written(const std::string& tag) { return !tag.empty() && tag != "?" && tag != "!"; }

class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(Position end) : end_(end) {}
  Tree take() { return std::move(tree_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) throw Refused{place_of(mark), "a second document; a configuration is one document"};
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(mark, anchor, Node::Kind::kNull); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node& node = add(mark, anchor, Node::Kind::kText);
    node.text = value;
    node.tagged = is_written(tag);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, anchor, Node::Kind::kList).tagged = is_written(tag);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, anchor, Node::Kind::kMap).tagged = is_written(tag);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node* node = anchors_.at(anchor);
    if (node->open) throw Refused{place_of(mark), "this alias stands inside what it stands for"};
    count(mark, node->weight);
    check_depth(mark, node->height);
    place({node, place_of(mark), true});
    grow(*node);
  }

 private:
  struct Frame {
    Node* node;
    Child key;  // of the entry whose value comes next
  };

  Position place_of(const YAML::Mark& mark) const { return position(mark, end_); }
  Node& add(const YAML::Mark& mark, YAML::anchor_t anchor, Node::Kind kind) {
    count(mark, 1);
    check_depth(mark, 1);
    Node& node = tree_.nodes.emplace_back();
    node.kind = kind;
    if (anchor != YAML::NullAnchor) anchors_[anchor] = &node;
    place({&node, place_of(mark), false});
    if (kind == Node::Kind::kNull || kind == Node::Kind::kText) grow(node);
    return node;
  }
  Node& open(const YAML::Mark& mark, YAML::anchor_t anchor, Node::Kind kind) {
    Node& node = add(mark, anchor, kind);
    node.open = true;
    frames_.push_back({&node, {}});
    return node;
  }
  void close() {
    Node* node = frames_.back().node;
    node->open = false;
    frames_.pop_back();
    grow(*node);
  }
  void place(Child child) {
    if (frames_.empty()) {
      tree_.root = child;
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node->kind == Node::Kind::kList) {
      frame.node->items.push_back(child);
    } else if (frame.key.node == nullptr) {
      frame.key = child;
    } else {
      frame.node->entries.push_back({std::exchange(frame.key, {}), child});
    }
  }
  // The parent learns the size of a child once the child is complete.
  void grow(const Node& child) {
    if (frames_.empty()) return;
    Node& parent = *frames_.back().node;
    parent.weight += child.weight;
    parent.height = std::max(parent.height, child.height + 1);
  }
  void count(const YAML::Mark& mark, std::size_t nodes) {
    total_ += nodes;
    if (total_ > kMaxNodes) {
      throw Refused{place_of(mark), "more than " + std::to_string(kMaxNodes) + " values, counting what aliases repeat"};
    }
  }
  void check_depth(const YAML::Mark& mark, std::size_t height) {
    if (frames_.size() + height > kMaxDepth) {
      throw Refused{place_of(mark), "nested deeper than " + std::to_string(kMaxDepth) + " levels"};
    }
  }

  Position end_;  // of the file
  Tree tree_;
  std::vector<Frame> frames_;
  std::unordered_map<YAML::anchor_t, Node*> anchors_;
  std::size_t total_ = 0;
  int documents_ = 0;
};

std::string_view line_of(std::string_view text, int line) {
  for (; line > 1; --line) text.remove_prefix(std::min(text.size(), text.find('\n') + 1));
  return text.substr(0, text.find('\n'));
}

// Ends the document explicitly. Without it yaml-cpp takes the end of the file for the end of a quoted text, so that a
// half-written file would load.
constexpr std::string_view kEnd = "\n...\n";
constexpr std::string_view kEndInsideText = "illegal document indicator in scalar";

Problem syntax_problem(std::string_view text, const YAML::Exception& error) {
  const Position at = position(error.mark, end_of(text));
  if (error.msg == kEndInsideText) return {at.line, at.column, "", "YAML syntax: a quoted text is not closed"};
  // What yaml-cpp puts after a colon are words of the file, which may be a key pasted at the wrong place.
  std::string message = "YAML syntax: " + error.msg.substr(0, error.msg.find(':'));
  std::string_view line = line_of(text, at.line);
  if (line.find("${") != line.npos && line.find_first_of("[{,") != line.npos) {
    message += R"(; inside [ ] and { } a reference needs quotes: "${NAME}")";
  } else if (line.find('\t') != line.npos) {
    message += "; indent with spaces, not tabs";
  }
  return {at.line, at.column, "", std::move(message)};
}

}  // namespace

std::expected<Tree, Problem> parse_yaml(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  TreeBuilder builder(end_of(text));
  try {
    std::istringstream stream(std::string(text).append(kEnd));
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) continue;
    return builder.take();
  } catch (const Refused& refused) {
    return std::unexpected(Problem{refused.at.line, refused.at.column, "", refused.message});
  } catch (const YAML::Exception& error) {
    return std::unexpected(syntax_problem(text, error));
  }
}

}  // namespace sluice::config
