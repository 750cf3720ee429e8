#include "core/folded_text.hpp"

#include <algorithm>

#include "sluice/core/text.hpp"

namespace sluice {
namespace {

class Folder {
 public:
  Folder(std::string_view text, FoldedText& out) : text_(text), out_(out) {}

  void run() {
    while (at_ < text_.size()) {
      const std::size_t plain = std::min(text_.find_first_of("\\%\xC2\xE2", at_), text_.size());
      while (at_ < plain) put(text_[at_], 1);
      if (at_ < text_.size()) special();
    }
    out_.places.push_back(text_.size());
  }

 private:
  void put(char c, std::size_t length) {
    out_.text += c;
    out_.places.push_back(at_);
    at_ += length;
  }

  void special() {
    const std::string_view rest = text_.substr(at_);
    if (rest[0] == '\\') return backslashes();
    if (rest[0] == '%' && percent(rest)) return;
    if (rest.starts_with("\xC2\xA0")) return put(' ', 2);
    if (rest.starts_with("\xE2\x80") && rest.size() > 2) {
      const auto last = static_cast<unsigned char>(rest[2]);
      if (last <= 0x8A || last == 0xAF) return put(' ', 3);
      if (last >= 0x90 && last <= 0x93) return put('-', 3);
    }
    put(rest[0], 1);
  }

  bool percent(std::string_view rest) {
    if (rest.size() < 3 || hex_value(rest[1]) < 0 || hex_value(rest[2]) < 0) return false;
    const int value = hex_value(rest[1]) * 16 + hex_value(rest[2]);
    if (value < 0x20 || value > 0x7E) return false;
    put(static_cast<char>(value), 3);
    return true;
  }

  void backslashes() {
    const std::size_t letter = std::min(text_.find_first_not_of('\\', at_), text_.size());
    const std::size_t count = letter - at_;
    if (letter == text_.size()) return put('\\', count);
    const char c = text_[letter];
    if (c == 'u' && code_point(letter + 1, count)) return;
    if (std::string_view("nrtbf").contains(c)) return put('\n', count + 1);
    if (c == '"' || c == '/') return put(c, count + 1);
    put('\\', count);
  }

  bool code_point(std::size_t digits, std::size_t backslashes) {
    if (digits + 4 > text_.size()) return false;
    unsigned code = 0;
    for (std::size_t i = digits; i < digits + 4; ++i) {
      if (hex_value(text_[i]) < 0) return false;
      code = code * 16 + static_cast<unsigned>(hex_value(text_[i]));
    }
    const std::size_t length = backslashes + 5;
    if (code < 0x80) {
      put(static_cast<char>(code), length);
    } else if (code == 0xA0 || (code >= 0x2000 && code <= 0x200A) || code == 0x202F) {
      put(' ', length);
    } else if (code >= 0x2010 && code <= 0x2013) {
      put('-', length);
    } else if (code < 0x800) {
      put(static_cast<char>(0xC0 | code >> 6), 0);
      put(static_cast<char>(0x80 | (code & 0x3F)), length);
    } else {
      put(static_cast<char>(0xE0 | code >> 12), 0);
      put(static_cast<char>(0x80 | (code >> 6 & 0x3F)), 0);
      put(static_cast<char>(0x80 | (code & 0x3F)), length);
    }
    return true;
  }

  std::string_view text_;
  FoldedText& out_;
  std::size_t at_ = 0;
};

}  // namespace

bool fold(std::string_view text, FoldedText& out) {
  if (text.find_first_of("\\%\xC2\xE2") == text.npos) return false;
  out.text.reserve(text.size());
  out.places.reserve(text.size() + 1);
  Folder(text, out).run();
  return out.text != text;
}

}  // namespace sluice
