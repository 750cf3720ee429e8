#pragma once
// A line of JSON (RFC 8259) as the tree that YAML gives, so that one set of readers reads both.

#include <deque>
#include <expected>
#include <string_view>

#include "config/yaml_tree.hpp"

namespace sluice::config {

// Strings come without quotes and escapes; numbers, true and false as they are spelled; null as nothing. The nodes are
// put into `nodes`. The text must be UTF-8; at most kMaxDepth levels. Names that come twice are left to check_tree().
std::expected<Child, Problem> parse_json_line(std::string_view text, int line, std::deque<Node>& nodes);

}  // namespace sluice::config
