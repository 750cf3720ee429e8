#include "config/values.hpp"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace sluice::config {
namespace {

constexpr std::string_view kNoReference = "references to the environment are resolved in values, not in names";

// Checks a range and words the refusal with `format`, in the unit the admin writes.
template <class T, class Format>
std::optional<T> within(const Value& value, T number, std::pair<T, T> range, Format format) {
  if (number >= range.first && number <= range.second) return number;
  value.fail(value.shown() + " is out of range; expected " + format(range.first) + " to " + format(range.second));
  return std::nullopt;
}

template <class T>
std::optional<T> read_quantity(const Value& value, std::expected<T, std::string> (*parse)(std::string_view)) {
  auto text = read_text(value);
  if (!text) return std::nullopt;
  auto result = parse(*text);
  if (result) return *result;
  value.fail(value.shown() + ": " + result.error());
  return std::nullopt;
}

std::string format_whole(std::uint64_t number) { return std::to_string(number); }

std::optional<std::size_t> as_size(std::optional<std::uint64_t> number) { return number; }

}  // namespace

Converter<milliseconds> duration(milliseconds least, milliseconds most) {
  return [=](const Value& value) -> std::optional<milliseconds> {
    auto parsed = read_quantity(value, parse_duration);
    return parsed ? within(value, *parsed, {least, most}, format_duration) : std::nullopt;
  };
}

Converter<std::size_t> size(std::uint64_t least, std::uint64_t most) {
  return [=](const Value& value) -> std::optional<std::size_t> {
    auto parsed = read_quantity(value, parse_size);
    return parsed ? as_size(within(value, *parsed, {least, most}, format_size)) : std::nullopt;
  };
}

Converter<std::size_t> rate(std::uint64_t least, std::uint64_t most) {
  return [=](const Value& value) -> std::optional<std::size_t> {
    auto parsed = read_quantity(value, parse_rate);
    return parsed ? as_size(within(value, *parsed, {least, most}, format_rate)) : std::nullopt;
  };
}

Converter<std::size_t> count(std::uint64_t least, std::uint64_t most) {
  return [=](const Value& value) -> std::optional<std::size_t> {
    auto text = read_text(value);
    if (!text) return std::nullopt;
    if (auto number = parse_whole(*text)) return as_size(within(value, *number, {least, most}, format_whole));
    value.fail(value.shown() + " is not a whole number");
    return std::nullopt;
  };
}

Converter<unsigned> small_count(unsigned least, unsigned most) {
  return [convert = count(least, most)](const Value& value) -> std::optional<unsigned> {
    const auto number = convert(value);
    return number ? std::optional(static_cast<unsigned>(*number)) : std::nullopt;
  };
}

Converter<unsigned> percent(unsigned least, unsigned most) {
  return [=](const Value& value) -> std::optional<unsigned> {
    auto text = read_text(value);
    if (!text) return std::nullopt;
    const auto number = text->ends_with('%') ? parse_whole(text->substr(0, text->size() - 1)) : std::nullopt;
    if (number && *number <= 100) {
      const auto format = [](unsigned whole) { return std::to_string(whole) + "%"; };
      return within(value, static_cast<unsigned>(*number), {least, most}, format);
    }
    value.fail(value.shown() + " is not a percentage, e.g. 90%");
    return std::nullopt;
  };
}

Converter<std::int64_t> amount(std::int64_t least, std::int64_t most) {
  return [=](const Value& value) -> std::optional<std::int64_t> {
    auto parsed = read_quantity(value, parse_count);
    return parsed ? within(value, *parsed, {least, most}, format_count) : std::nullopt;
  };
}

std::optional<bool> read_flag(const Value& value) {
  auto text = read_text(value);
  if (!text) return std::nullopt;
  if (*text == "true") return true;
  if (*text == "false") return false;
  value.fail(value.shown() + " is neither true nor false");
  return std::nullopt;
}

std::optional<std::string> read_word(const Value& value) {
  auto text = read_text(value);
  if (!text || !text->empty()) return text;
  value.fail("must not be empty");
  return std::nullopt;
}

std::optional<std::string> read_name(const Value& value) {
  const std::string& text = value.node->text;
  if (value.node->kind == Node::Kind::kText && text.find("${") == std::string::npos) return text;
  if (value.node->kind != Node::Kind::kText) return read_text(value);  // which reports it
  value.fail(std::string(kNoReference));
  return std::nullopt;
}

bool has_reference(const Named& entry) {
  if (entry.name.find("${") == std::string::npos) return false;
  entry.value.fail_key(std::string(kNoReference));
  return true;
}

std::vector<Value> one_or_more(const Value& value) {
  return value.node->kind == Node::Kind::kList ? read_items(value) : std::vector{value};
}

std::optional<std::string> read_pem_file(const Value& value) {
  auto file = read_text(value);
  if (!file || file->empty()) return file;
  const std::filesystem::path path = std::filesystem::path(value.scope->directory) / *file;
  std::error_code error;
  const bool regular = std::filesystem::is_regular_file(path, error);
  if (!regular || !std::ifstream(path).good()) {
    value.fail(value.shown() + (regular ? " cannot be read" : " is not a file") + "; expected a PEM file");
  }
  return path.string();
}

std::optional<std::uint64_t> parse_whole(std::string_view text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

}  // namespace sluice::config
