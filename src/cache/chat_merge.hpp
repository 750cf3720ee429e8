#pragma once
// The chunks of a chat or completions stream, joined to the choices of a whole answer.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/api/json.hpp"

namespace sluice::cache {

// An object that is put together from pieces of it, member by member in order of appearance: strings are joined, lists
// are joined, objects are joined alike, and of anything else the last one that is not null counts.
class Merged {
 public:
  Merged();
  ~Merged();
  Merged(const Merged& other);
  Merged& operator=(const Merged&) = delete;

  void add(json::Value object);
  // Takes a member out; its value as it would be written. Empty: there was none.
  std::string take(std::string_view name);
  std::string text() const;  // with braces

 private:
  struct Member;
  std::vector<Member> members_;
};

// All chunks of one stream.
class ChatMerge {
 public:
  explicit ChatMerge(bool chat) : chat_(chat) {}
  void add(json::Value chunk);
  bool any() const { return !choices_.empty(); }
  // `usage`: as written, or empty.
  std::string body(std::string_view usage) const;

 private:
  bool chat_;
  std::vector<std::pair<std::string, std::string>> head_;      // id, created, … of the first chunk that has them
  std::map<std::int64_t, std::pair<Merged, Merged>> choices_;  // the choice, and its message
};

}  // namespace sluice::cache
