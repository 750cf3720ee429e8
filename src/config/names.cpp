#include "sluice/config/names.hpp"

#include <algorithm>

namespace sluice::config {
namespace {

constexpr std::size_t kMostName = 64;
constexpr std::size_t kMostPath = 256;
constexpr std::size_t kMostSegments = 8;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

}  // namespace

std::optional<std::string> key_name_error(std::string_view name) {
  const auto fits = [](char c) {
    return is_lower(c) || is_upper(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
  };
  if (!name.empty() && name.size() <= kMostName && std::ranges::all_of(name, fits)) return std::nullopt;
  return "a key's name is 1 to 64 of A-Z, a-z, 0-9, \".\", \"_\" and \"-\"";
}

std::optional<std::string> group_path_error(std::string_view path) {
  const auto fits = [](char c) { return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '/'; };
  const bool whole = !path.empty() && !path.starts_with('/') && !path.ends_with('/') && path.find("//") == path.npos;
  if (!whole || !std::ranges::all_of(path, fits)) {
    return "a group is a path such as acme/search, its segments made of a-z, 0-9, \"_\" and \"-\"";
  }
  if (path.size() > kMostPath) return "a group's path is at most 256 bytes long";
  if (std::ranges::count(path, '/') >= static_cast<std::ptrdiff_t>(kMostSegments)) {
    return "a group's path has at most eight segments";
  }
  return std::nullopt;
}

std::optional<std::string> tag_name_error(std::string_view name) {
  const auto fits = [](char c) { return is_lower(c) || is_digit(c) || c == '_'; };
  const bool begins = !name.empty() && !is_digit(name.front());
  if (begins && name.size() <= kMostName && std::ranges::all_of(name, fits)) return std::nullopt;
  return "a tag's name is made of a-z, 0-9 and \"_\", does not start with a digit and is at most 64 bytes long";
}

std::optional<std::string> tag_value_error(std::string_view value) {
  if (value.size() > kMostName) return "a tag's value is at most 64 bytes long";
  const bool control = std::ranges::any_of(value, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (control) return "a tag's value must not hold control characters";
  return std::nullopt;
}

}  // namespace sluice::config
