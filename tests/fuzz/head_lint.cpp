// Heads of requests and responses (F01, F44): the verdict does not depend on how the bytes were cut, and a head that is
// believed can be read in one way only, also by a reader far more careless than ours.

#include <algorithm>
#include <string>

#include "fuzz/fuzz.hpp"
#include "sluice/core/text.hpp"
#include "sluice/http/head.hpp"

namespace sluice::fuzz {
namespace {

using http::Framing;
using http::HeadScanner;
using Side = HeadScanner::Side;

constexpr http::HeadLimits kTight{.bytes = 160, .fields = 4, .uri_bytes = 24};

// All that a head was found to say.
std::string told(const http::Head& head) {
  std::string text = "1." + std::to_string(head.minor_version) + " framing " +
                     std::to_string(static_cast<int>(head.framing)) + " " + std::to_string(head.content_length) +
                     (head.keep_alive ? " keep" : " close") + "\n";
  for (const http::Field& field : head.fields) text.append(field.name).append(": ").append(field.value) += '\n';
  return text;
}
std::string told(const http::RequestHead& head) {
  std::string text(head.method);
  text.append(" ").append(head.target).append(" ").append(head.path).append("?").append(head.query);
  return text + (head.expect_continue ? " expects " : " ") + told(static_cast<const http::Head&>(head));
}
std::string told(const http::ResponseHead& head) {
  return std::to_string(head.status) + " " + told(static_cast<const http::Head&>(head));
}
std::string refused(const Error& error) { return "refused: " + std::string(traits(error.kind).code); }

// A reader that lets everything pass: lines end at any LF, space does not count, `_` is as good as `-`.
struct Careless {
  std::size_t lines = 0, lengths = 0, codings = 0, hosts = 0;
  std::string length, coding;
};

std::string plain_name(std::string_view text) {
  std::string name;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) > ' ')
      name += c == '_' ? '-' : static_cast<char>(c | ('A' <= c && c <= 'Z') << 5);
  }
  return name;
}

Careless read_carelessly(std::string_view raw) {
  Careless read;
  for (; !raw.empty(); ++read.lines) {
    const std::string_view line = raw.substr(0, raw.find('\n'));
    raw.remove_prefix(std::min(raw.size(), line.size() + 1));
    const std::size_t colon = line.find(':');
    if (read.lines == 0 || colon == std::string_view::npos) continue;
    const std::string name = plain_name(line.substr(0, colon)), value = plain_name(line.substr(colon + 1));
    if (name == "content-length") ++read.lengths, read.length = value;
    if (name == "transfer-encoding") ++read.codings, read.coding = value;
    if (name == "host") ++read.hosts;
  }
  return read;
}

void check_fields(const http::Head& head, Side side) {
  for (const http::Field& field : head.fields) {
    require(http::is_token(field.name), "a field's name is a token");
    for (const char c : field.value) {
      const auto byte = static_cast<unsigned char>(c);
      require(c == '\t' || (byte >= 0x20 && byte != 0x7F), "no value holds a control character");
      require(side == Side::kResponse || byte < 0x80, "a request's value is ASCII");
    }
    require(trim(field.value) == field.value, "no space around a value");
  }
}

void check_framing(const http::Head& head, const Careless& careless) {
  require(careless.lengths + careless.codings <= 1, "one framing field at most");
  require(careless.lines == head.fields.size() + 2, "one line is one field");
  if (careless.codings == 1) require(careless.coding == "chunked", "chunked is the only coding");
  if (careless.codings == 1) require(head.minor_version == 1, "HTTP/1.0 has no codings");
  if (careless.lengths == 1)
    require(careless.length == std::to_string(head.content_length) || careless.length.starts_with('0'),
            "the length is what it says");
}

void check(const http::RequestHead& head, std::string_view raw) {
  const Careless careless = read_carelessly(raw);
  check_fields(head, Side::kRequest);
  check_framing(head, careless);
  require(careless.hosts == 1, "exactly one Host");
  const Framing wanted = careless.codings == 1   ? Framing::kChunked
                         : careless.lengths == 1 ? Framing::kLength
                                                 : Framing::kNone;
  require(head.framing == wanted, "the framing is the one that stands there");
  require(http::is_token(head.method), "the method is a token");
  require(head.target.starts_with('/') && head.target.find_first_of(" \t#") == std::string_view::npos,
          "the target is an absolute path");
  for (const char c : head.target) require(c > ' ' && c < 0x7F, "the target is visible ASCII");
  const bool bodiless = head.method == "GET" || head.method == "HEAD" || head.method == "DELETE";
  require(!bodiless || (head.framing != Framing::kChunked && head.content_length == 0), "GET has no body");
}

void check(const http::ResponseHead& head, std::string_view raw) {
  const Careless careless = read_carelessly(raw);
  check_fields(head, Side::kResponse);
  check_framing(head, careless);
  require(head.status >= 100 && head.status <= 599, "the status is one of five classes");
  const bool bodiless = head.status < 200 || head.status == 204 || head.status == 304;
  const Framing wanted = bodiless                ? Framing::kNone
                         : careless.codings == 1 ? Framing::kChunked
                         : careless.lengths == 1 ? Framing::kLength
                                                 : Framing::kUntilClose;
  require(head.framing == wanted, "the framing is the one that stands there");
  require(head.framing != Framing::kUntilClose || !head.keep_alive, "a body until the end is the last one");
}

std::string canonical(const http::Head& head, std::string start_line) {
  for (const http::Field& field : head.fields) {
    start_line.append("\r\n").append(field.name).append(": ").append(field.value);
  }
  return start_line + "\r\n\r\n";
}
std::string canonical(const http::RequestHead& head) {
  return canonical(
      head, std::string(head.method).append(" ").append(head.target) + " HTTP/1." + std::to_string(head.minor_version));
}
std::string canonical(const http::ResponseHead& head) {
  return canonical(head, "HTTP/1." + std::to_string(head.minor_version) + " " + std::to_string(head.status) + " ");
}

// What becomes of the bytes, as one text.
template <Side side>
std::string verdict_on(const Input& input, const http::HeadLimits& limits) {
  constexpr auto parse = [](std::string_view raw, const http::HeadLimits& within) {
    if constexpr (side == Side::kRequest)
      return http::parse_request_head(raw, within);
    else
      return http::parse_response_head(raw, within);
  };
  HeadScanner scanner(side, limits);
  std::string verdict = "incomplete";
  input.each_end([&](std::size_t have) {
    const auto size = scanner.scan(input.bytes.substr(0, have));
    if (!size) return verdict = refused(size.error()), false;
    if (!*size) return true;
    const std::string_view raw = input.bytes.substr(scanner.skipped(), **size);
    require(raw.size() <= limits.bytes && raw.ends_with("\r\n\r\n"),
            "a head ends with an empty line, within its limit");
    const auto head = parse(raw, limits);
    if (!head) return verdict = refused(head.error()), false;
    check(*head, raw);
    require(head->fields.size() <= limits.fields, "no more fields than allowed");
    verdict = told(*head);
    const std::string again = canonical(*head);
    const auto twin = parse(again, http::HeadLimits{});
    require(twin && told(*twin) == verdict, "written out again it says the same");
    verdict += " in " + std::to_string(raw.size()) + " bytes after " + std::to_string(scanner.skipped());
    return false;
  });
  return verdict;
}

template <Side side>
void try_side(const Input& input, const http::HeadLimits& limits) {
  const std::string whole = verdict_on<side>({input.bytes}, limits);
  require(verdict_on<side>(input, limits) == whole, "the verdict does not depend on the cuts");
  require(verdict_on<side>(byte_by_byte(input.bytes), limits) == whole, "nor on single bytes");
}

}  // namespace

void test(const Input& input) {
  for (const http::HeadLimits& limits : {http::HeadLimits{}, kTight}) {
    try_side<Side::kRequest>(input, limits);
    try_side<Side::kResponse>(input, limits);
  }
}

}  // namespace sluice::fuzz
