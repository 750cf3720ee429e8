#pragma once
// Converters from a node to a value, for MapReader::read. Each reports what is wrong and then yields nothing.

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/reader.hpp"
#include "sluice/config/units.hpp"

namespace sluice::config {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

inline constexpr std::uint64_t kKiB = 1024;
inline constexpr std::uint64_t kMiB = 1024 * kKiB;
inline constexpr std::uint64_t kGiB = 1024 * kMiB;
inline constexpr milliseconds kDay = 24h;
inline constexpr std::uint64_t kLeastQueue = 256 * kKiB;  // of lines: a few batches of a worker

template <class T>
using Converter = std::function<std::optional<T>(const Value&)>;

// Both ends of a range are allowed.
Converter<milliseconds> duration(milliseconds least, milliseconds most);
Converter<std::size_t> size(std::uint64_t least, std::uint64_t most);
Converter<std::size_t> rate(std::uint64_t least, std::uint64_t most);  // bytes per second
Converter<std::size_t> count(std::uint64_t least, std::uint64_t most);
Converter<unsigned> small_count(unsigned least, unsigned most);

Converter<unsigned> percent(unsigned least, unsigned most);             // "90%"
Converter<std::int64_t> amount(std::int64_t least, std::int64_t most);  // a count, if need be with k or M: "200k"

// The word auto, which stands for T{}, or whatever `convert` takes.
template <class T>
Converter<T> automatic_or(Converter<T> convert) {
  return [convert = std::move(convert)](const Value& value) -> std::optional<T> {
    if (value.node->text == "auto") return T{};
    return convert(value);
  };
}

std::optional<bool> read_flag(const Value& value);         // true or false and nothing else
std::optional<std::string> read_word(const Value& value);  // text that is not empty
// A name as it stands in the file: one that holds a reference is reported, and so is what is no text.
std::optional<std::string> read_name(const Value& value);
// A secret, written as exactly one reference; "" and ${NAME:-} may give an empty one. `what` it is, for the messages,
// which never hold it.
std::optional<Secret> read_secret(const Value& value, std::string_view what);
// Whether the name of an entry holds a reference, which is reported.
bool has_reference(const Named& entry);

// One thing, or a list of such things.
std::vector<Value> one_or_more(const Value& value);

// The name of a file that can be read, starting from the configuration's folder; empty stays empty. What is no such
// file is reported, and its name comes back all the same.
std::optional<std::string> read_pem_file(const Value& value);

std::optional<std::uint64_t> parse_whole(std::string_view text);  // decimal digits only

// One of a few words. A wrong one is reported with the nearest right one.
template <class T>
Converter<T> choice(std::vector<std::pair<std::string, T>> words) {
  return [words = std::move(words)](const Value& value) -> std::optional<T> {
    auto text = read_text(value);
    if (!text) return std::nullopt;
    std::vector<std::string> known;
    for (const auto& [word, meaning] : words) {
      if (word == *text) return meaning;
      known.push_back(word);
    }
    value.fail(value.shown() + " is not known; " + suggestion(value.node->text, known));
    return std::nullopt;
  };
}

// Text that `parse` reads; its error is told without the text.
template <class T>
Converter<T> parsed(std::expected<T, std::string> (*parse)(std::string_view)) {
  return [parse](const Value& value) -> std::optional<T> {
    auto text = read_text(value);
    if (!text) return std::nullopt;
    auto result = parse(*text);
    if (result) return std::move(*result);
    value.fail(result.error());
    return std::nullopt;
  };
}

// The same for what is no secret: the error begins with the text as written.
template <class T>
Converter<T> spelled(std::expected<T, std::string> (*parse)(std::string_view)) {
  return [parse](const Value& value) -> std::optional<T> {
    auto text = read_text(value);
    if (!text) return std::nullopt;
    auto result = parse(*text);
    if (result) return std::move(*result);
    value.fail(value.shown() + ": " + result.error());
    return std::nullopt;
  };
}

}  // namespace sluice::config
