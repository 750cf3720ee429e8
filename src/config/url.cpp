#include "config/url.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "config/address.hpp"
#include "config/values.hpp"
#include "sluice/core/text.hpp"

namespace sluice::config {
namespace {

using Error = std::unexpected<std::string>;

bool is_alnum(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 && static_cast<unsigned char>(c) < 128;
}
bool is_hex(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }

// pchar and "/" of RFC 3986 section 3.3, with whole percent escapes.
bool is_path(std::string_view text, std::string_view more = "") {
  constexpr std::string_view kMarks = "-._~!$&'()*+,;=:@/";
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool escape = text[i] == '%' && i + 2 < text.size() && is_hex(text[i + 1]) && is_hex(text[i + 2]);
    if (!escape && !is_alnum(text[i]) && kMarks.find(text[i]) == kMarks.npos && more.find(text[i]) == more.npos) {
      return false;
    }
  }
  return true;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return is_alnum(c) || c == '-' || c == '_'; });
}

bool is_number(std::string_view label) {
  if (label.starts_with("0x") || label.starts_with("0X")) return std::ranges::all_of(label.substr(2), is_hex);
  return std::ranges::all_of(label, [](char c) { return c >= '0' && c <= '9'; });
}

// A name whose last label is a number is an IPv4 address or a trap: 0x7f.1 and 127.1 mean 127.0.0.1 to some resolvers.
bool is_host_name(const std::string& host) {
  if (is_ipv4(host)) return true;
  if (host.empty() || host.size() > 253) return false;
  std::string_view rest = host;
  while (true) {
    auto dot = rest.find('.');
    std::string_view label = rest.substr(0, dot);
    if (!is_label(label)) return false;
    if (dot == rest.npos) return !is_number(label);
    rest.remove_prefix(dot + 1);
  }
}

std::expected<std::string, std::string> take_host(std::string_view& authority) {
  if (authority.starts_with('[')) {
    auto end = authority.find(']');
    in6_addr address{};
    std::string host(authority.substr(1, end == authority.npos ? end : end - 1));
    if (end == authority.npos || inet_pton(AF_INET6, host.c_str(), &address) != 1) {
      return Error("not an IPv6 address between [ and ]");
    }
    authority.remove_prefix(end + 1);
    return host;
  }
  auto end = std::min(authority.find(':'), authority.size());
  std::string host(authority.substr(0, end));
  std::ranges::transform(host, host.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  authority.remove_prefix(end);
  if (host.empty()) return Error("no host");
  if (!is_host_name(host)) return Error("not a host name or an IP address (other alphabets: write xn--…)");
  return host;
}

std::optional<std::string> read_authority(std::string_view authority, Url& url) {
  if (authority.find('@') != authority.npos) {
    return "a user or password does not belong here; put credentials into api_keys or headers";
  }
  const auto node = parse_node(authority, url.tls ? 443 : 80);
  if (!node) return node.error();
  url.host = node->host;
  url.port = node->port;
  return std::nullopt;
}

std::optional<std::string> read_path(std::string_view path, Url& url) {
  if (!is_path(path)) return "the path holds a character that must be percent-encoded";
  if (has_dot_segment(path)) return "the path must not hold . or .. segments";
  url.path = path;
  return std::nullopt;
}

std::optional<std::string_view> after_scheme(std::string_view text, Url& url) {
  auto separator = text.find("://");
  if (separator == text.npos) return std::nullopt;
  url.tls = equals_ignore_case(text.substr(0, separator), "https");
  if (!url.tls && !equals_ignore_case(text.substr(0, separator), "http")) return std::nullopt;
  return text.substr(separator + 3);
}

}  // namespace

std::expected<Address, std::string> parse_node(std::string_view text, std::uint16_t default_port) {
  auto host = take_host(text);
  if (!host) return Error(host.error());
  if (text.empty()) return Address{std::move(*host), default_port};
  const auto port = text.starts_with(':') ? parse_whole(text.substr(1)) : std::nullopt;
  if (!port || *port < 1 || *port > 65535) return Error("not a port after the host; expected 1 to 65535");
  return Address{std::move(*host), static_cast<std::uint16_t>(*port)};
}

std::expected<Url, std::string> parse_url(std::string_view text) {
  Url url;
  auto rest = after_scheme(text, url);
  if (!rest) return Error("expected a URL that starts with http:// or https://");
  if (rest->find('#') != rest->npos) return Error("a fragment (#…) does not belong here");
  auto question = std::min(rest->find('?'), rest->size());
  auto slash = std::min(rest->find('/'), question);
  if (auto error = read_authority(rest->substr(0, slash), url)) return Error(*error);
  if (auto error = read_path(rest->substr(slash, question - slash), url)) return Error(*error);
  std::string_view query = rest->substr(std::min(question + 1, rest->size()));
  if (!is_path(query, "?")) return Error("the query holds a character that must be percent-encoded");
  url.query = Secret(std::string(query));
  const auto address = parse_ip(url.host);
  if (address && is_forbidden(kind_of(*address))) {
    return Error("link-local, metadata, multicast and unspecified addresses are never upstreams");
  }
  return url;
}

std::expected<Url, std::string> parse_base_url(std::string_view text) {
  auto url = parse_url(text);
  if (!url) return url;
  while (url->path.ends_with('/')) url->path.pop_back();
  if (url->path.ends_with("/chat/completions")) {
    return Error("leave /chat/completions out; the paths of endpoints are added to it");
  }
  return url;
}

std::expected<std::string, std::string> parse_endpoint_path(std::string_view text) {
  constexpr std::string_view kModel = "{model}";
  if (!text.starts_with('/')) return Error("expected a path that starts with /");
  if (text.find('?') != text.npos) return Error("a query does not belong here; put it into base_url");
  std::string plain(text);
  for (auto at = plain.find(kModel); at != plain.npos; at = plain.find(kModel)) plain.replace(at, kModel.size(), "m");
  if (!is_path(plain))
    return Error("holds a character that must be percent-encoded (only {model} may stand in braces)");
  if (has_dot_segment(plain)) return Error("must not hold . or .. segments");
  return std::string(text);
}

}  // namespace sluice::config
