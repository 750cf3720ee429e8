#pragma once
// What a Redis server answers to one command: RESP2 (redis.io, "Redis serialization protocol specification").

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::redis {

// A plain value. What came over the wire is bounded before it becomes one: eight levels of arrays, and
// Settings::reply_bytes for all it takes in memory.
struct Reply {
  enum class Kind : std::uint8_t { kNil, kInteger, kString, kStatus, kError, kArray };

  Kind kind = Kind::kNil;
  std::int64_t integer = 0;
  std::string text{};          // of a string, a status or an error: any bytes
  std::vector<Reply> items{};  // of an array

  bool is_nil() const { return kind == Kind::kNil; }
  bool is_integer() const { return kind == Kind::kInteger; }
  bool is_string() const { return kind == Kind::kString; }
  bool is_error() const { return kind == Kind::kError; }
  bool is_array() const { return kind == Kind::kArray; }
  // The first word of an error, "WRONGTYPE" for instance; empty for anything else.
  std::string_view error_code() const;

  bool operator==(const Reply&) const = default;
};

}  // namespace sluice::redis
