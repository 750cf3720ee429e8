#include "redis/words.hpp"

#include "sluice/core/text.hpp"

namespace sluice::redis {

void append_head(std::string& out, std::size_t count) {
  out += '*';
  append_number(out, count);
  out += "\r\n";
}

void append_word(std::string& out, std::string_view word) {
  out += '$';
  append_number(out, word.size());
  out.append("\r\n").append(word).append("\r\n");
}

void append_command(std::string& out, std::span<const std::string_view> words) {
  append_head(out, words.size());
  for (const std::string_view word : words) append_word(out, word);
}

}  // namespace sluice::redis
