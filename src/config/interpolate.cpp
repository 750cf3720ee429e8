#include "config/interpolate.hpp"

#include <algorithm>
#include <expected>

#include "config/source.hpp"

namespace sluice::config {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool is_name(std::string_view text) {
  return !text.empty() && is_letter(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

// `rest` starts with "${"; the reference is taken off its front; nothing is left if it never ends.
std::expected<Reference, std::string> take_reference(std::string_view& rest) {
  auto end = rest.find('}');
  if (end == rest.npos) {
    rest = {};
    return std::unexpected("unterminated ${: the closing } is missing");
  }
  std::string_view inside = rest.substr(2, end - 2);
  rest.remove_prefix(end + 1);
  auto separator = inside.find(":-");
  std::string_view name = inside.substr(0, separator);
  if (!is_name(name)) return std::unexpected("not a reference: expected ${NAME} or ${NAME:-default}");
  Reference reference{std::string(name), std::nullopt};
  if (separator == inside.npos) return reference;
  std::string_view fallback = inside.substr(separator + 2);
  if (fallback.find("${") != fallback.npos) {
    return std::unexpected("the default of ${" + reference.name + "} cannot hold another reference");
  }
  reference.fallback = std::string(fallback);
  return reference;
}

void expand(const Reference& reference, const Environment& environment, Expanded& out) {
  auto value = environment(reference.name);
  if (reference.fallback && (!value || value->empty())) {
    out.text += *reference.fallback;
  } else if (!value) {
    out.errors.push_back(not_set(reference.name));
  } else if (find_bad_utf8(*value)) {
    out.errors.push_back("the value of environment variable " + reference.name + " is not valid UTF-8");
  } else {
    out.text += *value;
  }
}

}  // namespace

Expanded interpolate(std::string_view raw, const Environment& environment) {
  Expanded out;
  while (!raw.empty()) {
    auto dollar = std::min(raw.find('$'), raw.size());
    out.text += raw.substr(0, dollar);
    raw.remove_prefix(dollar);
    if (raw.starts_with("${")) {
      auto reference = take_reference(raw);
      if (!reference) {
        out.errors.push_back(reference.error());
      } else {
        expand(*reference, environment, out);
      }
    } else if (!raw.empty()) {
      out.text += '$';
      raw.remove_prefix(raw.starts_with("$$") ? 2 : 1);
    }
  }
  return out;
}

std::optional<Reference> sole_reference(std::string_view raw) {
  if (!raw.starts_with("${")) return std::nullopt;
  auto reference = take_reference(raw);
  if (!reference || !raw.empty()) return std::nullopt;
  return *reference;
}

std::string not_set(const std::string& name) {
  return "environment variable " + name + " is not set; set it, or write ${" + name + ":-default}";
}

}  // namespace sluice::config
