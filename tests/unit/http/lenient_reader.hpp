#pragma once
// Readers that forgive what real servers and proxies forgive. Whatever ours accepts, all of them must read alike: a
// message that can be read in two ways is how a request is smuggled.

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/core/text.hpp"
#include "sluice/http/head.hpp"

namespace sluice::http::testing {

struct Leniency {
  bool lf_ends_line = false;
  bool cr_ends_line = false;
  bool wide_space = false;   // control characters, NEL and NBSP count as space
  bool underscores = false;  // as dashes
  bool folds = false;        // a line that begins with space goes on with the one before

  static std::vector<Leniency> all() {
    std::vector<Leniency> every;
    for (unsigned bits = 0; bits < 32; ++bits) {
      every.push_back({(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0, (bits & 16) != 0});
    }
    return every;
  }
};

// What decides where a message ends and whom it is for.
struct Boundaries {
  Framing framing = Framing::kNone;
  std::uint64_t length = 0;
  std::string host;
  bool operator==(const Boundaries&) const = default;
};

class LenientReader {
 public:
  explicit LenientReader(Leniency how) : how_(how) {}

  Boundaries head(std::string_view raw) const {
    Boundaries found;
    for (auto& [name, value] : fields(raw)) {
      if (name == "host") found.host = value;
      if (name == "content-length" && found.framing != Framing::kChunked) {
        found.framing = Framing::kLength;
        found.length = std::strtoull(value.c_str(), nullptr, 10);
      }
      if (name == "transfer-encoding" && lower(value).find("chunked") != std::string::npos) {
        found.framing = Framing::kChunked;
        found.length = 0;
      }
    }
    return found;
  }

  // The payload of a chunked body, as far as it goes.
  std::string chunks(std::string_view raw) const {
    std::string payload;
    while (!raw.empty()) {
      const std::string line = next_line(raw);
      const std::size_t size = std::strtoull(line.c_str(), nullptr, 16);
      if (size == 0) break;
      payload += raw.substr(0, size);
      raw.remove_prefix(std::min(size, raw.size()));
      next_line(raw);
    }
    return payload;
  }

 private:
  static std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), ascii_lower);
    return text;
  }

  std::string next_line(std::string_view& rest) const {
    std::size_t at = 0;
    while (at < rest.size() && !ends_line(rest, at)) ++at;
    const std::string line(rest.substr(0, at));
    const std::size_t end = rest.substr(at).starts_with("\r\n") ? 2 : 1;
    rest.remove_prefix(std::min(rest.size(), at + end));
    return line;
  }
  bool ends_line(std::string_view text, std::size_t at) const {
    return text.substr(at).starts_with("\r\n") || (how_.lf_ends_line && text[at] == '\n') ||
           (how_.cr_ends_line && text[at] == '\r');
  }
  bool is_space(char c) const {
    const auto byte = static_cast<unsigned char>(c);
    return c == ' ' || c == '\t' || (how_.wide_space && (byte < 0x20 || byte == 0x7F || byte == 0x85 || byte == 0xA0));
  }
  std::string stripped(std::string_view text) const {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return std::string(text);
  }

  std::vector<std::pair<std::string, std::string>> fields(std::string_view raw) const {
    std::vector<std::pair<std::string, std::string>> found;
    next_line(raw);
    while (!raw.empty()) {
      const std::string line = next_line(raw);
      if (how_.folds && !line.empty() && is_space(line.front()) && !found.empty()) {
        found.back().second += " " + stripped(line);
        continue;
      }
      const std::size_t colon = line.find(':');
      std::string name = lower(stripped(line.substr(0, colon)));
      if (how_.underscores) std::ranges::replace(name, '_', '-');
      found.emplace_back(name, colon == std::string::npos ? "" : stripped(line.substr(colon + 1)));
    }
    return found;
  }

  Leniency how_;
};

}  // namespace sluice::http::testing
