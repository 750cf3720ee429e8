#pragma once
#include <string>
#include <string_view>

namespace sluice::redis {

// A Lua script and the name under which servers keep it. Immutable; any thread.
class Script {
 public:
  explicit Script(std::string text);

  const std::string& text() const { return text_; }
  std::string_view sha1() const { return sha1_; }  // forty hexadecimal digits, as EVALSHA wants them

 private:
  std::string text_;
  std::string sha1_;
};

}  // namespace sluice::redis
