#include "sluice/api/canonical.hpp"

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <charconv>
#include <cmath>
#include <utility>

#include "api/json_escape.hpp"
#include "api/json_scan.hpp"

namespace sluice::json {
namespace {

constexpr std::size_t kSureDigits = 15;  // a decimal number of so many survives a double
constexpr double kWhole = 1e15;

struct Span {  // of a member, in what has been written
  std::size_t begin = 0, colon = 0, end = 0;
};

// Reads a text once, from its beginning to its end; it is known to be good.
class Writer {
 public:
  Writer(std::string& out, std::string_view text) : out_(out), at_(text.data()), end_(at_ + text.size()) {}

  void value() {
    skip_space();
    switch (*at_) {
      case '{':
        object();
        break;
      case '[':
        array();
        break;
      case '"':
        append_canonical_string(out_, string());
        break;
      default:
        scalar();
    }
  }

 private:
  void skip_space() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }
  bool ends_with(char bracket) {
    skip_space();
    if (*at_ == ',') {
      ++at_;
      return false;
    }
    if (*at_ != bracket) return false;
    ++at_;
    return true;
  }

  std::string_view string() {
    const char* begin = std::exchange(at_, scan::skip_string(at_, end_));
    return {begin, static_cast<std::size_t>(at_ - begin)};
  }

  void scalar() {
    const char* begin = at_;
    const auto ends = [](char c) {
      return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\t' || c == '\r';
    };
    at_ = std::find_if(at_, end_, ends);
    const std::string_view raw(begin, static_cast<std::size_t>(at_ - begin));
    const bool number = *begin == '-' || (*begin >= '0' && *begin <= '9');
    number ? append_canonical_number(out_, raw) : void(out_ += raw);
  }

  void array() {
    out_ += '[';
    ++at_;
    for (bool first = true; !ends_with(']'); first = false) {
      if (!first) out_ += ',';
      value();
    }
    out_ += ']';
  }

  void object() {
    out_ += '{';
    ++at_;
    boost::container::small_vector<Span, 16> members;
    while (!ends_with('}')) {
      if (!members.empty()) out_ += ',';
      skip_space();
      Span& member = members.emplace_back(Span{.begin = out_.size()});
      append_canonical_string(out_, string());
      member.colon = out_.size();
      skip_space();
      ++at_;
      out_ += ':';
      value();
      members.back().end = out_.size();
    }
    sort(members);
    out_ += '}';
  }

  // Mostly they are in order already, or few.
  void sort(boost::container::small_vector<Span, 16>& members) {
    const auto less = [this](const Span& a, const Span& b) {
      const std::string_view all(out_);
      return all.substr(a.begin, a.colon - a.begin) < all.substr(b.begin, b.colon - b.begin);
    };
    if (std::ranges::is_sorted(members, less)) return;
    const std::size_t begin = members.front().begin;
    std::ranges::sort(members, less);
    std::string& sorted = scratch_;
    sorted.clear();
    for (const Span& member : members) {
      if (!sorted.empty()) sorted += ',';
      sorted.append(out_, member.begin, member.end - member.begin);
    }
    out_.replace(begin, sorted.size(), sorted);
  }

  std::string& out_;
  std::string scratch_;  // of sort()
  const char* at_;
  const char* end_;
};

void append_escaped(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  constexpr std::string_view kShort = "\b\t\n\f\r\"\\";
  constexpr std::string_view kLetters = "btnfr\"\\";
  if (const auto at = kShort.find(c); at != kShort.npos) {
    (out += '\\') += kLetters[at];
  } else if (byte < 0x20) {
    ((out += "\\u00") += kHex[byte >> 4]) += kHex[byte & 15];
  } else {
    out += c;
  }
}

// Of the escape at the front of `raw`, whose length it gives.
std::size_t append_canonical_escape(std::string& out, std::string_view raw) {
  const std::size_t before = out.size();
  const std::size_t length = append_escape(out, raw);
  if (out.size() > before + 1) return length;
  const char c = out.back();  // which may be one that is written with an escape
  out.pop_back();
  append_escaped(out, c);
  return length;
}

// Digits that count: without sign, point, exponent, and zeros at either end.
std::size_t digits_of(std::string_view raw) {
  std::size_t count = 0;
  std::size_t zeros = 0;
  for (const char c : raw) {
    if (c == 'e' || c == 'E') break;
    if (c == '0') {
      zeros += count > 0 ? 1 : 0;
    } else if (c > '0' && c <= '9') {
      count += zeros + 1;
      zeros = 0;
    }
  }
  return count;
}

}  // namespace

void append_canonical_string(std::string& out, std::string_view raw) {
  std::size_t copied = 0;
  for (auto at = raw.find('\\'); at != raw.npos;) {
    const bool has_other_form = raw[at + 1] == 'u' || raw[at + 1] == '/';
    if (has_other_form) {
      out += raw.substr(copied, at - copied);
      copied = at + append_canonical_escape(out, raw.substr(at));
    }
    at = raw.find('\\', has_other_form ? copied : at + 2);
  }
  out += raw.substr(copied);
}

void append_canonical_number(std::string& out, std::string_view raw) {
  const bool whole = raw.find_first_not_of("0123456789") == raw.npos;
  if (whole && raw.size() <= kSureDigits) {
    out += raw;
    return;
  }
  double number = 0;
  const auto read = std::from_chars(raw.data(), raw.data() + raw.size(), number);
  const bool normal = number == 0 || std::isnormal(number);
  if (read.ec != std::errc() || !normal || digits_of(raw) > kSureDigits || (number == 0 && digits_of(raw) > 0)) {
    out += raw;
    return;
  }
  char digits[32];
  const bool integer = std::abs(number) < kWhole && std::trunc(number) == number;
  const auto end = integer ? std::to_chars(digits, digits + sizeof digits, static_cast<std::int64_t>(number)).ptr
                           : std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}

void append_canonical(std::string& out, Value value) { Writer(out, value.raw).value(); }

}  // namespace sluice::json
