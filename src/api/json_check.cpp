#include "api/json_escape.hpp"
#include "api/json_keys.hpp"
#include "api/json_number.hpp"
#include "api/json_scan.hpp"
#include "api/json_utf8.hpp"
#include "sluice/api/json.hpp"

namespace sluice::json {
namespace {

using Kind = Fault::Kind;

constexpr int kElementDepth = 3;  // of an object in an array in the outermost object

// Recursive descent; the depth limit bounds the stack. A false result has filled in fault_.
class Checker {
 public:
  Checker(std::string_view text, std::vector<Member>* members, Watch* watch, Surrogates surrogates)
      : begin_(text.data()),
        end_(text.data() + text.size()),
        p_(begin_),
        members_(members),
        watch_(watch),
        names_(watch != nullptr ? &watch->names() : nullptr),
        surrogates_(surrogates),
        keys_(text) {}

  std::expected<Value, Fault> run() {
    space();
    const char* const start = p_;
    if (!value(0)) return std::unexpected(fault_);
    const char* const stop = p_;
    space();
    if (p_ != end_) return std::unexpected(Fault{Kind::kSyntax, offset(p_), "unexpected text after the value"});
    return Value{{start, static_cast<std::size_t>(stop - start)}};
  }

 private:
  bool value(int depth);
  bool object(int depth);
  bool array(int depth);
  bool member(int depth, KeyStack::Frame& frame);
  bool string(bool* escaped);
  bool escape();
  bool unicode_escape();
  bool number();
  bool fraction_and_exponent(bool* exponent);
  bool literal(std::string_view word);
  bool close(const KeyStack::Frame& frame);
  [[gnu::noinline]] void tell_name(int depth);  // rare, and its frame is large

  struct Level {           // an open object or array
    std::uint32_t number;  // of names when it began; of the element that is being read
    bool is_array;
  };

  // NUL stands for the end: nothing outside a string may be NUL.
  char peek() const { return p_ != end_ ? *p_ : '\0'; }
  void space() { p_ = scan::skip_space(p_, end_); }
  std::size_t offset(const char* at) const { return static_cast<std::size_t>(at - begin_); }
  bool fail(Kind kind, const char* at, std::string_view what) {
    fault_ = {kind, offset(at), what};
    return false;
  }
  bool fail(std::string_view what) { return fail(Kind::kSyntax, p_, p_ == end_ ? "unexpected end of the text" : what); }

  const char* begin_;
  const char* end_;
  const char* p_;
  std::vector<Member>* members_;  // of the outermost object, if they are wanted
  Watch* watch_;
  const NameFilter* names_;  // the watch's
  bool watching_ = false;    // what is read lies in the watched array
  Surrogates surrogates_;
  KeyStack keys_;
  Fault fault_;
  Level levels_[kMaxDepth];  // down to where reading is; written before it is read
};

bool Checker::value(int depth) {
  switch (peek()) {
    case '"':
      return string(nullptr);
    case '{':
      return object(depth + 1);
    case '[':
      return array(depth + 1);
    case 't':
      return literal("true");
    case 'f':
      return literal("false");
    case 'n':
      return literal("null");
    default:
      return number();
  }
}

bool Checker::object(int depth) {
  if (depth > kMaxDepth) return fail(Kind::kTooDeep, p_, "nested too deeply");
  KeyStack::Frame frame = keys_.open();
  levels_[depth - 1] = {static_cast<std::uint32_t>(frame.first), false};
  ++p_;
  space();
  if (peek() == '}') {
    ++p_;
    return true;
  }
  while (member(depth, frame)) {
    space();
    if (peek() == '}') return close(frame);
    if (peek() != ',') return fail("expected ',' or '}'");
    ++p_;
    space();
  }
  return false;
}

bool Checker::close(const KeyStack::Frame& frame) {
  ++p_;
  const std::optional<std::size_t> twin = keys_.close(frame);
  return !twin || fail(Kind::kDuplicateKey, begin_ + *twin - 1, "repeated member name");
}

bool Checker::member(int depth, KeyStack::Frame& frame) {
  const char* const start = p_;
  if (peek() != '"') return fail("expected a member name");
  bool escaped = false;
  if (!string(&escaped)) return false;
  const std::string_view key(start + 1, static_cast<std::size_t>(p_ - start - 2));
  if (!keys_.add(frame, key, escaped)) return fail(Kind::kDuplicateKey, start, "repeated member name");
  if (names_ != nullptr && names_->lets_through(key, escaped)) tell_name(depth);
  space();
  if (peek() != ':') return fail("expected ':'");
  ++p_;
  space();
  const char* const value_start = p_;
  const bool outermost = depth == 1 && members_ != nullptr;
  if (outermost) watching_ = watch_ != nullptr && peek() == '[' && key_is({key, {}, {}, escaped}, watch_->array());
  if (!value(depth)) return false;
  if (!outermost && !(watching_ && depth == kElementDepth)) return true;
  const std::string_view raw(start, static_cast<std::size_t>(p_ - start));
  const Member read{key, {raw.substr(static_cast<std::size_t>(value_start - start))}, raw, escaped};
  if (!outermost) {
    watch_->member(read);
    return true;
  }
  if (members_->size() == kMaxMembers) return fail(Kind::kSyntax, start, "too many members");
  members_->push_back(read);
  return true;
}

// The current name of an open object is the last one before the names of the next object inside.
void Checker::tell_name(int depth) {
  std::array<Step, kMaxDepth> path;
  const auto levels = static_cast<std::size_t>(depth);
  std::size_t end_of_names = keys_.size();
  for (std::size_t i = levels; i-- > 0;) {
    const Level level = levels_[i];
    if (level.is_array) {
      path[i] = {{}, level.number, true, false};
    } else {
      path[i] = keys_.step(end_of_names - 1);
      end_of_names = level.number;
    }
  }
  watch_->name(std::span(path).first(levels));
}

bool Checker::array(int depth) {
  if (depth > kMaxDepth) return fail(Kind::kTooDeep, p_, "nested too deeply");
  ++p_;
  space();
  if (peek() == ']') {
    ++p_;
    return true;
  }
  // Members of an object in an array are nobody's outermost ones, even in the outermost array.
  Level& level = levels_[depth - 1];
  level = {0, true};
  for (const char* start = p_; value(depth); start = p_, ++level.number) {
    if (watching_ && depth == kElementDepth - 1) {
      watch_->element({{start, static_cast<std::size_t>(p_ - start)}});
    }
    space();
    const char c = peek();
    if (c != ',' && c != ']') return fail("expected ',' or ']'");
    ++p_;
    if (c == ']') return true;
    space();
  }
  return false;
}

bool Checker::string(bool* escaped) {
  ++p_;
  while (true) {
    p_ = scan::plain_run(p_, end_);
    if (p_ == end_) return fail("");
    if (*p_ == '"') break;
    if (*p_ != '\\') return fail("control character in a string");
    if (escaped != nullptr) *escaped = true;
    do {
      if (!escape()) return false;
    } while (peek() == '\\');
  }
  ++p_;
  return true;
}

bool Checker::escape() {
  ++p_;
  switch (peek()) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
      ++p_;
      return true;
    case 'u':
      return unicode_escape();
    default:
      return fail("unknown escape");
  }
}

bool Checker::unicode_escape() {
  const char* const start = p_ - 1;
  const int code = end_ - start >= 6 ? hex4(start + 2) : -1;
  if (code < 0) return fail(Kind::kSyntax, start, "expected four hexadecimal digits");
  p_ = start + 6;
  if (code < 0xD800 || code > 0xDFFF || surrogates_ == Surrogates::kAny) return true;
  const bool pair = code < 0xDC00 && end_ - p_ >= 6 && p_[0] == '\\' && p_[1] == 'u';
  const int low = pair ? hex4(p_ + 2) : -1;
  if (low < 0xDC00 || low > 0xDFFF) return fail(Kind::kSyntax, start, "lone surrogate");
  p_ += 6;
  return true;
}

bool Checker::number() {
  const char* const start = p_;
  if (peek() == '-') ++p_;
  if (!scan::is_digit(peek())) return fail("expected a value");
  if (*p_ == '0') {
    ++p_;
  } else {
    p_ = scan::skip_digits(p_, end_);
  }
  bool exponent = false;
  if (!fraction_and_exponent(&exponent)) return false;
  // 308 digits fit a double for sure.
  if ((exponent || p_ - start > 308) && overflows({start, static_cast<std::size_t>(p_ - start)})) {
    return fail(Kind::kSyntax, start, "number out of range");
  }
  return true;
}

bool Checker::fraction_and_exponent(bool* exponent) {
  if (peek() == '.') {
    ++p_;
    if (!scan::is_digit(peek())) return fail("expected a digit");
    p_ = scan::skip_digits(p_, end_);
  }
  if (peek() != 'e' && peek() != 'E') return true;
  *exponent = true;
  ++p_;
  if (peek() == '+' || peek() == '-') ++p_;
  if (!scan::is_digit(peek())) return fail("expected a digit");
  p_ = scan::skip_digits(p_, end_);
  return true;
}

bool Checker::literal(std::string_view word) {
  const auto left = static_cast<std::size_t>(end_ - p_);
  if (left < word.size() || std::string_view(p_, word.size()) != word) return fail("expected a value");
  p_ += word.size();
  return true;
}

std::expected<Value, Fault> checked(std::string_view text, std::vector<Member>* members, Watch* watch,
                                    Surrogates surrogates) {
  if (text.size() >= std::size_t{1} << 31) return std::unexpected(Fault{Kind::kSyntax, 0, "text too long"});
  if (text.starts_with("\xEF\xBB\xBF")) return std::unexpected(Fault{Kind::kSyntax, 0, "byte order mark"});
  if (!is_utf8(text)) return std::unexpected(Fault{Kind::kUtf8, first_bad_utf8(text), "bytes that are not UTF-8"});
  return Checker(text, members, watch, surrogates).run();
}

std::expected<Value, Fault> with_members(std::string_view text, std::vector<Member>& members, Watch* watch,
                                         Surrogates surrogates) {
  members.clear();
  auto value = checked(text, &members, watch, surrogates);
  if (!value || !value->is_object()) members.clear();
  return value;
}

}  // namespace

std::expected<Value, Fault> check(std::string_view text, Surrogates surrogates) {
  return checked(text, nullptr, nullptr, surrogates);
}

std::expected<Value, Fault> check(std::string_view text, std::vector<Member>& members, Surrogates surrogates) {
  return with_members(text, members, nullptr, surrogates);
}

std::expected<Value, Fault> check(std::string_view text, std::vector<Member>& members, Watch& watch) {
  return with_members(text, members, &watch, Surrogates::kPaired);
}

}  // namespace sluice::json
