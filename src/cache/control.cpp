#include "cache/control.hpp"

#include <algorithm>
#include <charconv>

#include "sluice/config/units.hpp"
#include "sluice/core/text.hpp"

namespace sluice::cache {
namespace {

constexpr std::int64_t kLongest = 365LL * 24 * 60 * 60;  // seconds; what is longer means the same

// RFC 9111 section 1.2.2: delta-seconds, if need be in quotes.
std::optional<std::chrono::seconds> seconds_of(std::string_view text) {
  if (text.size() > 1 && text.starts_with('"') && text.ends_with('"')) text = text.substr(1, text.size() - 2);
  const bool digits = !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return std::nullopt;
  std::int64_t value = kLongest;  // also of numbers too large to read
  std::from_chars(text.data(), text.data() + text.size(), value);
  return std::chrono::seconds(std::min(value, kLongest));
}

void directive(std::string_view text, Control& control) {
  const auto equals = std::min(text.find('='), text.size());
  const auto name = trim(text.substr(0, equals));
  const auto value = trim(text.substr(std::min(text.size(), equals + 1)));
  if (equals_ignore_case(name, "no-store")) control.no_store = true;
  if (equals_ignore_case(name, "no-cache")) control.no_cache = true;
  if (equals_ignore_case(name, "only-if-cached")) control.only_if_cached = true;
  // One that cannot be read asks for the freshest there is.
  if (equals_ignore_case(name, "max-age")) control.max_age = seconds_of(value).value_or(std::chrono::seconds(0));
}

template <class Use>
void for_each_item(std::string_view list, const Use& use) {
  while (!list.empty()) {
    const auto item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), item.size() + 1));
    if (const auto text = trim(item); !text.empty()) use(text);
  }
}

bool is_tag(std::string_view text) {
  return text.size() <= kMostTagBytes && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("._:/-").find(c) != std::string_view::npos;
         });
}

std::unexpected<Error> wrong(std::string name, std::string message) {
  return fail_param(ErrorKind::kInvalidValue, std::move(name), std::move(message));
}

Result<void> read_own(const http::Field& field, Control& control) {
  if (equals_ignore_case(field.name, "x-sluice-cache-ttl")) {
    const auto text = trim(field.value);
    if (const auto seconds = seconds_of(text)) {
      control.ttl = *seconds;
      return {};
    }
    const auto span = config::parse_duration(text);
    if (!span) return wrong("x-sluice-cache-ttl", "Write a time as seconds, or with a unit: 90, 90s, 10m, 1h.");
    control.ttl = *span;
  }
  if (!equals_ignore_case(field.name, "x-sluice-cache-tags")) return {};
  bool good = true;
  for_each_item(field.value, [&](std::string_view tag) {
    good = good && is_tag(tag);
    if (std::ranges::find(control.tags, tag) == control.tags.end()) control.tags.emplace_back(tag);
  });
  if (good && control.tags.size() <= kMostTags) return {};
  return wrong("x-sluice-cache-tags",
               "Give at most 16 tags, separated by commas, each of up to 64 of A-Z a-z 0-9 . _ : / -");
}

}  // namespace

Result<Control> read_control(const http::RequestHead& head) {
  Control control;
  bool pragma = false;
  bool says = false;
  for (const http::Field& field : head.fields) {
    if (equals_ignore_case(field.name, "cache-control")) {
      says = true;
      for_each_item(field.value, [&](std::string_view text) { directive(text, control); });
    }
    // RFC 9111 section 5.4: only where there is no Cache-Control.
    pragma = pragma || (equals_ignore_case(field.name, "pragma") && equals_ignore_case(trim(field.value), "no-cache"));
    if (auto good = read_own(field, control); !good) return std::unexpected(std::move(good.error()));
  }
  control.no_cache = control.no_cache || (pragma && !says);
  return control;
}

}  // namespace sluice::cache
