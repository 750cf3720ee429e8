#include "config/json_line.hpp"

#include <optional>
#include <string>

#include "sluice/core/text.hpp"

namespace sluice::config {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  const char lower = ascii_lower(c);
  return is_digit(c) || (lower >= 'a' && lower <= 'z') || c == '-' || c == '+' || c == '.';
}

void append_utf8(std::string& out, unsigned code) {
  const auto byte = [&](unsigned value) { out += static_cast<char>(static_cast<unsigned char>(value)); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xC0 | code >> 6);
  } else if (code < 0x10000) {
    byte(0xE0 | code >> 12);
    byte(0x80 | (code >> 6 & 0x3F));
  } else {
    byte(0xF0 | code >> 18);
    byte(0x80 | (code >> 12 & 0x3F));
    byte(0x80 | (code >> 6 & 0x3F));
  }
  byte(0x80 | (code & 0x3F));
}

class JsonLine {
 public:
  JsonLine(std::string_view text, int line, std::deque<Node>& nodes) : text_(text), line_(line), nodes_(nodes) {}

  std::expected<Child, Problem> read() {
    const Child root = read_value(1);
    if (!problem_ && at_ != text_.size()) fail("more behind the end; one line is one object");
    if (problem_) return std::unexpected(*problem_);
    return root;
  }

 private:
  Position here() const { return {line_, static_cast<int>(at_) + 1}; }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void skip_space() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\r') ++at_;
  }
  void fail(std::string message) {
    const Position at = here();
    if (!problem_) problem_ = Problem{at.line, at.column, "", "JSON syntax: " + std::move(message)};
  }

  // With the spaces on both sides.
  Child read_value(std::size_t depth) {
    skip_space();
    Child child{nullptr, here(), false};
    if (depth > kMaxDepth) {
      fail("nested deeper than " + std::to_string(kMaxDepth) + " levels");
      return child;
    }
    Node& node = nodes_.emplace_back();
    child.node = &node;
    if (take('{')) {
      read_object(node, depth);
    } else if (take('[')) {
      read_list(node, depth);
    } else if (peek() == '"') {
      read_string(node);
    } else {
      read_word(node);
    }
    skip_space();
    return child;
  }

  void read_object(Node& node, std::size_t depth) {
    node.kind = Node::Kind::kMap;
    skip_space();
    if (take('}')) return;
    do {
      skip_space();
      if (peek() != '"') return fail("expected a name in double quotes");
      const Child key = read_value(depth + 1);
      if (!problem_ && !take(':')) fail("expected a colon");
      if (problem_) return;
      node.entries.push_back({key, read_value(depth + 1)});
    } while (!problem_ && take(','));
    if (!problem_ && !take('}')) fail("expected a comma or }");
  }

  void read_list(Node& node, std::size_t depth) {
    node.kind = Node::Kind::kList;
    skip_space();
    if (take(']')) return;
    do {
      node.items.push_back(read_value(depth + 1));
    } while (!problem_ && take(','));
    if (!problem_ && !take(']')) fail("expected a comma or ]");
  }

  void read_string(Node& node) {
    node.kind = Node::Kind::kText;
    ++at_;
    while (!problem_) {
      const std::size_t begin = at_;
      while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' && is_plain(text_[at_])) ++at_;
      node.text.append(text_, begin, at_ - begin);
      if (take('"')) return;
      if (at_ == text_.size()) return fail("a text is not closed");
      if (!take('\\')) return fail("a control character in a text");
      read_escape(node.text);
    }
  }
  static bool is_plain(char c) { return static_cast<unsigned char>(c) >= 0x20; }

  void read_escape(std::string& out) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (take('u')) return read_code(out);
    const auto found = at_ < text_.size() ? kLetters.find(text_[at_]) : kLetters.npos;
    if (found == kLetters.npos) return fail("no such escape");
    out += kMeanings[found];
    ++at_;
  }

  void read_code(std::string& out) {
    unsigned code = read_hex();
    const bool high = code >= 0xD800 && code < 0xDC00;
    if (!problem_ && high && take('\\') && take('u')) {
      const unsigned low = read_hex();
      if (low < 0xDC00 || low > 0xDFFF) return fail("half of a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    if (!problem_ && code >= 0xD800 && code < 0xE000) fail("half of a surrogate pair");
    if (!problem_) append_utf8(out, code);
  }

  unsigned read_hex() {
    unsigned code = 0;
    for (int i = 0; i < 4; ++i) {
      const int digit = hex_value(peek());
      if (digit < 0) {
        fail("expected four hexadecimal digits");
        return 0;
      }
      code = code * 16 + static_cast<unsigned>(digit);
      ++at_;
    }
    return code;
  }

  void read_word(Node& node) {
    const std::size_t begin = at_;
    while (is_word(peek())) ++at_;
    const std::string_view word = text_.substr(begin, at_ - begin);
    if (word == "null") return;
    at_ = word == "true" || word == "false" || is_number(word) ? at_ : begin;
    if (at_ == begin) return fail("expected a value");
    node.kind = Node::Kind::kText;
    node.text = word;
  }

  static bool is_number(std::string_view word) {
    std::size_t i = word.starts_with('-') ? 1 : 0;
    const auto digits = [&] {
      const std::size_t begin = i;
      while (i < word.size() && is_digit(word[i])) ++i;
      return i - begin;
    };
    const bool zero = i < word.size() && word[i] == '0';
    const std::size_t whole = digits();
    if (whole == 0 || (zero && whole > 1)) return false;
    if (i < word.size() && word[i] == '.') {
      ++i;
      if (digits() == 0) return false;
    }
    if (i < word.size() && (word[i] == 'e' || word[i] == 'E')) {
      ++i;
      if (i < word.size() && (word[i] == '+' || word[i] == '-')) ++i;
      if (digits() == 0) return false;
    }
    return i == word.size();
  }

  std::string_view text_;
  int line_;
  std::deque<Node>& nodes_;
  std::size_t at_ = 0;
  std::optional<Problem> problem_;
};

}  // namespace

std::expected<Child, Problem> parse_json_line(std::string_view text, int line, std::deque<Node>& nodes) {
  return JsonLine(text, line, nodes).read();
}

}  // namespace sluice::config
