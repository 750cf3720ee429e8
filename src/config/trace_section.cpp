// trace, and how much of its content a model and a key let it hold.

#include <algorithm>

#include "config/sections.hpp"
#include "config/values.hpp"
#include "sluice/core/content_redactor.hpp"

namespace sluice::config {
namespace {

constexpr std::uint64_t kLeastFile = 64 * kKiB;
constexpr std::size_t kMostKept = 1'000'000;
constexpr std::size_t kMostPatterns = 64;
constexpr std::size_t kLongestName = 32;

// 0 switches a limit off; what is smaller than `least` is a slip.
template <class T>
Converter<T> zero_or(Converter<T> convert, T least, std::string advice) {
  return [=](const Value& value) -> std::optional<T> {
    auto number = convert(value);
    if (!number || *number == T{} || *number >= least) return number;
    value.fail(value.shown() + " is too little; write " + advice + " for never");
    return std::nullopt;
  };
}

void read_rotate(const Value& section, Rotate& rotate) {
  MapReader map(section);
  map.read("size", rotate.size, zero_or<std::size_t>(size(0, 1024 * kGiB), kLeastFile, "64KiB or more, or 0B"));
  map.read("age", rotate.age, zero_or<milliseconds>(duration(0ms, 365 * kDay), 1s, "1s or more, or 0s"));
  map.read("keep", rotate.keep, count(1, kMostKept));
}

void read_sampling(const Value& section, Sampling& sample) {
  MapReader map(section);
  map.read("rate", sample.rate, spelled(parse_share));
  map.read("slow", sample.slow, duration(0ms, kDay));
  map.read("slow_first_token", sample.slow_first_token, duration(0ms, kDay));
  map.read("cost", sample.cost, spelled(parse_money));
}

// A kind stands in markers and is a member's name.
std::optional<std::string> read_kind(const Value& value) {
  auto name = read_name(value);
  if (!name) return name;
  const bool plain = name->find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == name->npos;
  if (!plain || name->empty() || name->size() > kLongestName) {
    value.fail("expected a name of 1 to 32 of a-z, 0-9, _ and -");
    return std::nullopt;
  }
  if (std::ranges::find(ContentRedactor::kKinds, *name) == ContentRedactor::kKinds.end()) return name;
  value.fail(value.shown() + " is the name of a built-in kind");
  return std::nullopt;
}

std::optional<std::string> read_pattern(const Value& value) {
  auto text = read_text(value);
  if (!text) return text;
  const auto error = ContentRedactor::error_in(*text);
  if (!error) return text;
  value.fail(*error);
  return std::nullopt;
}

void read_redact(const Value& list, std::vector<RedactPattern>& patterns) {
  for (const Value& item : read_items(list)) {
    RedactPattern one;
    MapReader map(item);
    if (!map.read("name", one.name, read_kind)) map.missing("name", "expected a name for what the pattern finds");
    if (!map.read("pattern", one.pattern, read_pattern)) map.missing("pattern", "expected a regular expression");
    if (std::ranges::find(patterns, one.name, &RedactPattern::name) != patterns.end()) {
      item.fail("there is another pattern with that name; put both into one: (?:this|that)");
    }
    patterns.push_back(std::move(one));
  }
  if (patterns.size() > kMostPatterns) list.fail_key("holds more than 64 patterns");
}

}  // namespace

std::optional<Content> read_content(const Value& value) {
  static const auto kContent = choice<Content>(
      {{"none", Content::kNone}, {"hash", Content::kHash}, {"redacted", Content::kRedacted}, {"full", Content::kFull}});
  return kContent(value);
}

void read_trace(const Value& section, Trace& trace) {
  MapReader map(section);
  map.read("path", trace.path, read_text);
  map.read("queue_bytes", trace.queue_bytes, size(kLeastQueue, 16 * kGiB));
  map.section("rotate", [&](const Value& value) { read_rotate(value, trace.rotate); });
  map.section("sample", [&](const Value& value) { read_sampling(value, trace.sample); });
  map.read("content", trace.content, read_content);
  map.read("users", trace.users,
           choice<TraceUsers>({{"none", TraceUsers::kNone}, {"hash", TraceUsers::kHash}, {"name", TraceUsers::kName}}));
  map.read("content_bytes", trace.content_bytes, size(kKiB, kMiB));
  map.section("redact", [&](const Value& list) { read_redact(list, trace.redact); });
  map.read("secret", trace.secret, [](const Value& value) { return read_secret(value, "secret"); });
}

}  // namespace sluice::config
