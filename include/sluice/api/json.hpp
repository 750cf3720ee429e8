#pragma once
// A strict reader of JSON text (RFC 8259) that keeps positions: one pass says whether the whole text is good, and
// values are then looked at in place. Nothing is copied, no number is converted unless asked for.
// Stricter than the RFC where parsers disagree: a repeated member name and nesting beyond `kMaxDepth` are refused.
// All functions are pure and may be called from any thread.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::json {

inline constexpr int kMaxDepth = 64;

struct Value {
  std::string_view raw;  // the value's own bytes, with quotes or brackets, without space around it

  bool is_object() const { return !raw.empty() && raw.front() == '{'; }
  bool is_array() const { return !raw.empty() && raw.front() == '['; }
  bool is_string() const { return !raw.empty() && raw.front() == '"'; }
  bool is_null() const { return raw == "null"; }
  bool is_true() const { return raw == "true"; }
  bool is_bool() const { return raw == "true" || raw == "false"; }
  bool is_number() const { return !raw.empty() && (raw.front() == '-' || (raw.front() >= '0' && raw.front() <= '9')); }
};

struct Member {
  std::string_view key;  // between the quotes, escapes as written
  Value value;
  std::string_view raw;  // from the key's opening quote to the end of the value
  bool escaped = false;  // `key` holds a backslash
};

struct Fault {
  enum class Kind : std::uint8_t { kSyntax, kUtf8, kDuplicateKey, kTooDeep };
  Kind kind = Kind::kSyntax;
  std::size_t offset = 0;  // of the byte at fault
  std::string_view what;   // static text, e.g. "expected ',' or '}'"
};

// Halves of a surrogate pair as \u escapes: refused in what clients send; taken as they are in what upstreams stream,
// since a pair may be split over two events and only the client joins them.
enum class Surrogates : std::uint8_t { kPaired, kAny };

// The whole of `text` must be one value, space around it allowed (no byte order mark). Texts of 2 GiB are refused.
std::expected<Value, Fault> check(std::string_view text, Surrogates surrogates = Surrogates::kPaired);

// The same, and in the same pass the members of the outermost object, in order, replace what is in `members`. It ends
// up empty for any other value. An object of more than kMaxMembers is refused.
inline constexpr std::size_t kMaxMembers = 65536;
std::expected<Value, Fault> check(std::string_view text, std::vector<Member>& members,
                                  Surrogates surrogates = Surrogates::kPaired);

// The names a watch wants to hear of, as a test so quick that it can be put to every name of a text: it looks at the
// first letter, the last one and the length, so it lets others through as well. Neither case nor _ and - matter.
class NameFilter {
 public:
  constexpr explicit NameFilter(std::span<const std::string_view> names) {
    for (std::string_view name : names) add(name);
    by_first_['_'] = by_first_['-'] = {~std::uint32_t{0}, 1};
  }
  bool lets_through(std::string_view key, bool escaped) const {
    const Row& row = by_first_[static_cast<unsigned char>(*key.data())];  // of an empty name: its closing quote
    return (key.size() >= row.shortest && (row.last & bit(key.back())) != 0) || escaped;
  }

 private:
  struct Row {
    std::uint32_t last = 0;
    std::uint32_t shortest = ~std::uint32_t{0};
  };
  static constexpr std::uint32_t bit(char c) { return std::uint32_t{1} << (static_cast<unsigned char>(c) & 31); }
  constexpr void add(std::string_view name) {
    const auto letters =
        static_cast<std::uint32_t>(name.size() - static_cast<std::size_t>(std::ranges::count(name, '_')));
    const auto first = static_cast<unsigned char>(name.front());
    for (const unsigned spelled : {first | 0x20U, first & ~0x20U}) {
      Row& row = by_first_[spelled];
      row.last |= bit(name.back()) | bit('_') | bit('-');
      row.shortest = std::min(row.shortest, letters);
    }
  }
  std::array<Row, 256> by_first_{};
};

// One level on the way from the outermost value inwards: a member's name, or the place of an array's element.
struct Step {
  std::string_view name;  // as it reads once unescaped
  std::uint32_t index = 0;
  bool is_element = false;
  bool escaped = false;  // the text spells the name with a backslash
};

// Looks on while a text is read, so that nothing needs a second pass. What it was told counts only if the whole text
// turns out good. It hears of the elements of one array, a member of the outermost object, and of the names, at any
// depth, that `names` lets through.
class Watch {
 public:
  Watch(std::string_view array, const NameFilter& names) : array_(array), names_(names) {}
  virtual ~Watch() = default;
  std::string_view array() const { return array_; }
  const NameFilter& names() const { return names_; }
  virtual void member(const Member& member) = 0;      // of the element that is being read, if it is an object
  virtual void element(Value element) = 0;            // it has been read
  virtual void name(std::span<const Step> path) = 0;  // the last step is it; its value has not been read yet

 private:
  std::string_view array_;
  const NameFilter& names_;
};
std::expected<Value, Fault> check(std::string_view text, std::vector<Member>& members, Watch& watch);

// The following read text that `check` has accepted; on anything else their result is unspecified (but in bounds).

// for (T item : Items<T>(value)) …; what an object or an array holds, in order. Empty for any other value.
template <class T>
class Items {
 public:
  explicit Items(Value container);
  class Iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    const T& operator*() const { return item_; }
    const T* operator->() const { return &item_; }
    Iterator& operator++() {
      advance();
      return *this;
    }
    void operator++(int) { advance(); }
    bool operator==(std::default_sentinel_t) const { return done_; }

   private:
    friend class Items;
    explicit Iterator(std::string_view rest) : rest_(rest) { advance(); }
    void advance();
    std::string_view rest_;
    T item_;
    bool done_ = false;
  };
  Iterator begin() const { return Iterator(inside_); }
  std::default_sentinel_t end() const { return {}; }

 private:
  std::string_view inside_;
};
using Members = Items<Member>;  // of an object
using Elements = Items<Value>;  // of an array
template <>
Members::Items(Value object);
template <>
void Members::Iterator::advance();
template <>
Elements::Items(Value array);
template <>
void Elements::Iterator::advance();

// Whether a member's key, once unescaped, is `name`.
bool escaped_key_is(std::string_view key, std::string_view name);
inline bool key_is(const Member& member, std::string_view name) {
  return member.escaped ? escaped_key_is(member.key, name) : member.key == name;
}
std::optional<Value> find(Value object, std::string_view name);
// The text of a string value, escapes resolved. Empty for anything but a string.
std::string text_of(Value value);
// An integer if the number is one without loss ("7", "7.0", "7e0"), within int64; otherwise nothing.
std::optional<std::int64_t> integer_of(Value value);
std::optional<double> number_of(Value value);

}  // namespace sluice::json
