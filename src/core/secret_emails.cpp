// E-mail addresses as people write them: RFC 5321 without quoted local parts and without the characters that more often
// stand before an address than in it; RFC 6531 for scripts that put spaces between words, since elsewhere nobody could
// say where the address begins.

#include "core/secret_kinds.hpp"

namespace sluice {
namespace {

unsigned byte_at(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_alnum(char c) { return is_letter(c) || (c >= '0' && c <= '9'); }
bool is_local(char c) { return is_alnum(c) || std::string_view("._+-'~!^").contains(c); }

// Letters of two bytes: Latin with accents, Greek, Cyrillic, Hebrew, Arabic and their neighbours.
bool is_pair(std::string_view text, std::size_t at) {
  return at + 1 < text.size() && byte_at(text, at) >= 0xC3 && byte_at(text, at) <= 0xDF &&
         byte_at(text, at + 1) >> 6 == 2;
}

std::size_t local_begin(std::string_view text, std::size_t least, std::size_t at) {
  while (at > least) {
    if (is_local(text[at - 1])) {
      --at;
    } else if (at >= least + 2 && is_pair(text, at - 2)) {
      at -= 2;
    } else {
      break;
    }
  }
  while (at < text.size() && (text[at] == '\'' || text[at] == '.' || text[at] == '-')) ++at;  // of what stands before
  return at;
}

// The end of the domain that begins at `at`, or `at` if there is none: two labels at least, the last one of letters.
std::size_t domain_end(std::string_view text, std::size_t at) {
  std::size_t good = at;
  std::size_t labels = 0;
  for (;;) {
    const std::size_t begin = at;
    bool letters = true;
    while (at < text.size()) {
      const bool pair = is_pair(text, at);
      if (!pair && !is_alnum(text[at]) && text[at] != '-') break;
      letters = letters && (pair || is_letter(text[at]));
      at += pair ? 2 : 1;
    }
    if (at == begin) return good;
    ++labels;
    if (labels > 1 && letters && at - begin >= 2) good = at;
    if (at == text.size() || text[at] != '.') return good;
    ++at;
  }
}

}  // namespace

void find_emails(std::string_view text, std::vector<Find>& finds) {
  std::size_t least = 0;  // what is left of it belongs to the address before
  for (auto at = text.find('@'); at != text.npos; at = text.find('@', at + 1)) {
    const std::size_t begin = local_begin(text, least, at);
    const std::size_t end = domain_end(text, at + 1);
    least = at + 1;
    if (begin >= at || end == at + 1) continue;
    finds.push_back({begin, end, "email"});
    least = end;
  }
}

}  // namespace sluice
