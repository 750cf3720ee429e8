#pragma once
// Just enough of HTTP/1.1 to take messages apart in tests. Lenient on purpose: it never refuses what it can read.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::support {

using Headers = std::vector<std::pair<std::string, std::string>>;  // as on the wire, in order

struct Head {
  std::string start_line;
  Headers headers;

  // Names compare without case; the first match counts.
  std::optional<std::string> find(std::string_view name) const;
  std::string get(std::string_view name) const { return find(name).value_or(""); }
  std::size_t count(std::string_view name) const;
};

// The head at the front of `text` and its length with the empty line; nothing while it is incomplete.
std::optional<std::pair<Head, std::size_t>> parse_head(std::string_view text);

int status_of(const Head& head);  // 0 if the start line is no status line

// Incremental reader of one message body, whatever its framing.
class BodyReader {
 public:
  enum class Framing { kNone, kLength, kChunked, kUntilClose };
  explicit BodyReader(Framing framing, std::size_t length = 0) : framing_(framing), left_(length) {}
  static BodyReader for_request(const Head& head);
  static BodyReader for_response(const Head& head, bool to_head_request = false);

  // Takes what belongs to the body off the front of `wire` and returns the payload found there.
  std::string take(std::string& wire);
  bool done() const;
  bool broken() const { return broken_; }  // chunk framing that makes no sense
  Framing framing() const { return framing_; }

 private:
  enum class Part { kSize, kData, kDataEnd, kTrailers, kDone };
  bool step(std::string& wire, std::string& payload);
  bool read_size(std::string& wire);
  bool read_data(std::string& wire, std::string& payload);
  bool read_trailer(std::string& wire);

  Framing framing_;
  std::size_t left_;
  Part part_ = Part::kSize;
  bool broken_ = false;
};

std::string lower(std::string_view text);

}  // namespace sluice::support
