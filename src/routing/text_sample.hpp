#pragma once
// The text that a request is judged by: the first and the last thing its user says, head and tail of what is long.
// Bounded, so that judging costs the same for a huge body; nothing is allocated.

#include <array>
#include <string_view>

#include "sluice/api/request_view.hpp"

namespace sluice::routing {

inline constexpr std::size_t kMostOfOneText = 16 * 1024;  // bytes

class TextSample {
 public:
  // Chat: content of the first and of the last message of the role user. Completions: the prompt. Embeddings,
  // moderations: the input. Responses: the input, or what is said by the user in it.
  explicit TextSample(const api::RequestView& view);

  // In lower case, escapes resolved, pieces on lines of their own.
  std::string_view text() const { return {buffer_.data(), size_}; }

 private:
  void add(json::Value content);
  void add_items(json::Value items);
  void add_piece(json::Value string, std::size_t& room);
  void copy(std::string_view raw);
  void copy_run(std::string_view run);
  void copy_escape(std::string_view& raw);
  void put_code_point(unsigned code);
  void lower_from(std::size_t start);
  void put(char c) {
    if (size_ < buffer_.size()) buffer_[size_++] = c;
  }

  std::array<char, 2 * kMostOfOneText + 1024> buffer_;
  std::size_t size_ = 0;
};

}  // namespace sluice::routing
