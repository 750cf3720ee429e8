#pragma once
// Many short strings in one piece of memory: the keys or arguments of a script call, for as long as it takes.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/core/text.hpp"

namespace sluice::limit {

class Texts {
 public:
  void reserve(std::size_t count, std::size_t bytes) {
    ends_.reserve(count);
    bytes_.reserve(bytes);
  }
  void add(std::string_view text) {
    bytes_ += text;
    end();
  }
  void add(std::initializer_list<std::string_view> pieces) {
    for (const std::string_view piece : pieces) bytes_ += piece;
    end();
  }
  void add(std::integral auto number) {
    append_number(bytes_, number);
    end();
  }
  std::size_t size() const { return ends_.size(); }
  // Good until the next add().
  std::vector<std::string_view> views() const {
    std::vector<std::string_view> all;
    all.reserve(ends_.size());
    std::size_t from = 0;
    for (const std::size_t to : ends_) {
      all.push_back(std::string_view(bytes_).substr(from, to - from));
      from = to;
    }
    return all;
  }

 private:
  void end() { ends_.push_back(static_cast<std::uint32_t>(bytes_.size())); }

  std::string bytes_;
  std::vector<std::uint32_t> ends_;
};

}  // namespace sluice::limit
