#include "api/bounded_text.hpp"

#include "api/json_escape.hpp"

namespace sluice::api {
namespace {

constexpr std::size_t kLongestEscape = 6;  // of one byte

}  // namespace

void append_bounded(std::string& out, json::Value text, std::size_t room) {
  if (!text.is_string() || text.raw.size() < 2) return;
  const std::string_view inside = text.raw.substr(1, text.raw.size() - 2);
  const std::size_t before = out.size();
  // Where this cuts an escape in two, what comes of that lies beyond the room.
  json::append_unescaped(out, room < inside.size() / kLongestEscape ? inside.substr(0, room * kLongestEscape) : inside);
  if (out.size() > before + room) out.resize(before + room);
}

}  // namespace sluice::api
