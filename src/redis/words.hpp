#pragma once
// Commands as they go over the wire: an array of strings (RESP2).

#include <span>
#include <string>
#include <string_view>

namespace sluice::redis {

void append_command(std::string& out, std::span<const std::string_view> words);

// The head of a command of `count` words, each of which append_word() adds.
void append_head(std::string& out, std::size_t count);
void append_word(std::string& out, std::string_view word);

}  // namespace sluice::redis
