#include "sluice/http/head.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <span>

#include "http/chars.hpp"
#include "sluice/core/text.hpp"

namespace sluice::http {
namespace {

// A refusal says why; the caller's side decides what kind of error that is.
using Verdict = std::expected<void, std::string_view>;
std::unexpected<std::string_view> refuse(std::string_view why) { return std::unexpected(why); }

constexpr std::array<std::string_view, 9> kSingletons = {"host",          "content-length", "transfer-encoding",
                                                         "authorization", "content-type",   "content-encoding",
                                                         "expect",        "x-api-key",      "api-key"};

// Names that decide about framing or identity; some servers read an underscore in a name as a dash.
constexpr std::array<std::string_view, 10> kDashed = {
    "transfer-encoding", "content-length", "content-type",  "content-encoding", "x-api-key",
    "api-key",           "host",           "authorization", "connection",       "expect"};

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::any_of(names, [&](std::string_view n) { return equals_ignore_case(n, name); });
}

bool passes_for_dashed(std::string_view name) {
  if (name.find('_') == std::string_view::npos) return false;
  std::string dashed(name);
  std::ranges::replace(dashed, '_', '-');
  return is_one_of(dashed, kDashed);
}

std::string_view next_line(std::string_view& rest) {
  auto end = rest.find("\r\n");
  auto line = rest.substr(0, end);
  rest.remove_prefix(std::min(rest.size(), end + 2));
  return line;
}

Verdict parse_fields(std::string_view rest, std::size_t max_fields, Head& head) {
  for (auto line = next_line(rest); !line.empty(); line = next_line(rest)) {
    if (line.front() == ' ' || line.front() == '\t') return refuse("A header field is folded over two lines.");
    auto colon = line.find(':');
    if (colon == std::string_view::npos) return refuse("A header field has no colon.");
    auto name = line.substr(0, colon);
    if (!is_token(name)) return refuse("A header field name is not a token.");
    if (passes_for_dashed(name)) return refuse("A header field name looks like a framing field.");
    if (is_one_of(name, kSingletons) && head.has(name))
      return refuse("A header field that must be single is repeated.");
    if (head.fields.size() == max_fields) return refuse("");
    head.fields.push_back({name, trim(line.substr(colon + 1))});
  }
  return {};
}

Verdict read_length(std::string_view digits, Head& head) {
  if (digits.empty() || digits.size() > 19) return refuse("Content-Length is not a number of 1 to 19 digits.");
  head.content_length = 0;
  for (char c : digits) {
    if (c < '0' || c > '9') return refuse("Content-Length is not a number of 1 to 19 digits.");
    head.content_length = head.content_length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  head.framing = Framing::kLength;
  return {};
}

// RFC 9112 section 6.3, less every choice it leaves.
Verdict read_framing(Head& head) {
  const bool has_length = head.has("content-length");
  if (head.has("transfer-encoding")) {
    if (has_length) return refuse("Transfer-Encoding and Content-Length exclude each other.");
    if (head.minor_version == 0) return refuse("HTTP/1.0 has no Transfer-Encoding.");
    if (!equals_ignore_case(head.get("transfer-encoding"), "chunked")) {
      return refuse("The only Transfer-Encoding understood is chunked.");
    }
    head.framing = Framing::kChunked;
    return {};
  }
  return has_length ? read_length(head.get("content-length"), head) : Verdict{};
}

void read_connection(Head& head) {
  head.keep_alive = head.nominates("close") ? false : head.minor_version == 1 || head.nominates("keep-alive");
}

bool is_port(std::string_view port) {
  return port.size() <= 5 && std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
}

// RFC 3986 section 3.2.2: reg-name (no percent escapes: nobody needs them there) or an IPv6 address, then a port.
bool is_host(std::string_view host) {
  if (host.starts_with('[')) {
    auto close = host.find(']');
    if (close == std::string_view::npos) return false;
    const std::string inside(host.substr(1, close - 1));
    const auto after = host.substr(close + 1);
    in6_addr address{};
    return ::inet_pton(AF_INET6, inside.c_str(), &address) == 1 &&
           (after.empty() || (after.front() == ':' && is_port(after.substr(1))));
  }
  auto colon = host.find(':');
  auto name = host.substr(0, colon);
  return !name.empty() && std::ranges::all_of(name, [](char c) { return is_class(c, kHostChar); }) &&
         (colon == std::string_view::npos || is_port(host.substr(colon + 1)));
}

Verdict read_target(RequestHead& head) {
  if (!head.target.starts_with('/')) return refuse("The request target must begin with a slash.");
  if (head.target.find('#') != std::string_view::npos) return refuse("The request target holds a fragment.");
  auto mark = head.target.find('?');
  head.path = head.target.substr(0, mark);
  if (mark != std::string_view::npos) head.query = head.target.substr(mark + 1);
  if (head.path.find("%00") != std::string_view::npos) return refuse("The request target holds a NUL.");
  if (head.path.find_first_of("%.\\") != std::string_view::npos && has_dot_segment(head.path)) {
    return refuse("The request target holds dot segments.");
  }
  return {};
}

Verdict read_request_line(std::string_view line, RequestHead& head) {
  auto first = line.find(' ');
  auto last = line.rfind(' ');
  if (first == std::string_view::npos || last == first) return refuse("The request line is not METHOD TARGET VERSION.");
  head.method = line.substr(0, first);
  head.target = line.substr(first + 1, last - first - 1);
  auto version = line.substr(last + 1);
  if (!is_token(head.method)) return refuse("The method is not a token.");
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return refuse("The version is not HTTP/1.1.");
  head.minor_version = version.back() - '0';
  if (head.target.empty() || head.target.find_first_of(" \t") != std::string_view::npos) {
    return refuse("The request target holds a space.");
  }
  return {};
}

Verdict check_request(const RequestHead& head) {
  if (!head.has("host")) return refuse("The Host field is missing.");
  if (!is_host(head.get("host"))) return refuse("The Host field is not a host name.");
  const bool has_body = head.framing == Framing::kChunked || head.content_length > 0;
  if (has_body && (head.method == "GET" || head.method == "HEAD" || head.method == "DELETE")) {
    return refuse("A request of this method carries no body.");
  }
  return {};
}

bool is_status_line(std::string_view line) {
  auto digit = [&](std::size_t i) { return line[i] >= '0' && line[i] <= '9'; };
  return line.size() >= 13 && (line.starts_with("HTTP/1.1 ") || line.starts_with("HTTP/1.0 ")) && line[9] >= '1' &&
         line[9] <= '5' && digit(10) && digit(11) && line[12] == ' ';
}

std::unexpected<Error> malformed(std::string_view why) {
  if (why.empty()) return fail(ErrorKind::kHeadersTooLarge, "The request has too many header fields.");
  return fail(ErrorKind::kMalformedRequest, std::string(why));
}
std::unexpected<Error> invalid_response(std::string_view why) {
  return fail(ErrorKind::kUpstreamInvalidResponse, "The upstream's response cannot be understood.", std::string(why));
}

}  // namespace

std::string_view Head::get(std::string_view name) const {
  for (const Field& field : fields) {
    if (equals_ignore_case(field.name, name)) return field.value;
  }
  return {};
}

bool Head::has(std::string_view name) const {
  return std::ranges::any_of(fields, [&](const Field& f) { return equals_ignore_case(f.name, name); });
}

bool Head::nominates(std::string_view option) const {
  for (const Field& field : fields) {
    if (!equals_ignore_case(field.name, "connection")) continue;
    for (auto rest = field.value; !rest.empty();) {
      auto comma = rest.find(',');
      if (equals_ignore_case(trim(rest.substr(0, comma)), option)) return true;
      rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
  }
  return false;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return is_class(c, kTokenChar); });
}

bool is_field_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return is_class(c, kValueChar); });
}

Result<RequestHead> parse_request_head(std::string_view raw, const HeadLimits& limits) {
  RequestHead head;
  auto line = next_line(raw);
  if (auto good = read_request_line(line, head); !good) return malformed(good.error());
  if (head.target.size() > limits.uri_bytes) return fail(ErrorKind::kUriTooLong, "The request target is too long.");
  if (head.method == "CONNECT") return fail(ErrorKind::kMethodNotAllowed, "CONNECT is not supported.");
  if (auto good = read_target(head); !good) return malformed(good.error());
  head.fields.reserve(16);
  if (auto good = parse_fields(raw, limits.fields, head); !good) return malformed(good.error());
  if (auto good = read_framing(head); !good) return malformed(good.error());
  if (auto good = check_request(head); !good) return malformed(good.error());
  read_connection(head);
  if (head.has("expect")) {
    if (!equals_ignore_case(head.get("expect"), "100-continue")) {
      return fail(ErrorKind::kExpectationFailed, "The only expectation understood is 100-continue.");
    }
    head.expect_continue = head.minor_version == 1;
  }
  return head;
}

Result<ResponseHead> parse_response_head(std::string_view raw, const HeadLimits& limits) {
  ResponseHead head;
  auto line = next_line(raw);
  if (!is_status_line(line)) return invalid_response("status line");
  head.minor_version = line[7] - '0';
  head.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  head.fields.reserve(24);
  if (auto good = parse_fields(raw, limits.fields, head); !good) {
    return invalid_response(good.error().empty() ? "too many header fields" : good.error());
  }
  if (auto good = read_framing(head); !good) return invalid_response(good.error());
  read_connection(head);
  if (head.status < 200 || head.status == 204 || head.status == 304) {
    head.framing = Framing::kNone;
  } else if (head.framing == Framing::kNone) {
    head.framing = Framing::kUntilClose;
    head.keep_alive = false;
  }
  return head;
}

}  // namespace sluice::http
