#pragma once
// Message heads of HTTP/1.1 (RFC 9110, RFC 9112), read strictly: what could be read in two ways is refused. This is the
// only place where a head is believed, on the client's side and on the upstream's. Pure; any thread.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/core/error.hpp"

namespace sluice::http {

struct Field {
  std::string_view name;   // as sent; compare with equals_ignore_case
  std::string_view value;  // without surrounding space
};

struct HeadLimits {
  std::size_t bytes = 64 * 1024;
  std::size_t fields = 100;
  std::size_t uri_bytes = 8 * 1024;
};

// How the end of a message's body is found.
enum class Framing : std::uint8_t { kNone, kLength, kChunked, kUntilClose };

struct Head {
  int minor_version = 1;
  std::vector<Field> fields;
  Framing framing = Framing::kNone;
  std::uint64_t content_length = 0;
  bool keep_alive = true;

  // The value of the first field of that name; empty if there is none.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  // Whether a Connection field lists it. A field that is listed ends here (RFC 9110 section 7.6.1).
  bool nominates(std::string_view option) const;
};

struct RequestHead : Head {
  std::string_view method;
  std::string_view target;  // as sent
  std::string_view path;    // before the question mark
  std::string_view query;   // after it
  bool expect_continue = false;
};

struct ResponseHead : Head {
  int status = 0;
};

// Finds the end of a head in bytes that arrive in pieces, and refuses at the first byte that no head can hold, so that
// the verdict does not depend on how the bytes were cut.
class HeadScanner {
 public:
  enum class Side : std::uint8_t { kRequest, kResponse };
  HeadScanner(Side side, HeadLimits limits) : side_(side), limits_(limits) {}

  // `bytes` is everything received so far, from the first byte of the message. Gives the size of the head, its final
  // empty line included, or nothing while it is incomplete.
  Result<std::optional<std::size_t>> scan(std::string_view bytes);
  // How many bytes of empty lines came before the start line.
  std::size_t skipped() const { return skipped_; }
  void reset() { *this = HeadScanner(side_, limits_); }

 private:
  Result<void> special(char c, std::size_t index);
  std::size_t limit() const;  // where the part that is being read must have ended
  std::unexpected<Error> beyond_limit() const;

  Side side_;
  HeadLimits limits_;
  std::size_t position_ = 0;
  std::size_t skipped_ = 0;
  std::size_t line_start_ = 0;
  bool cr_ = false;
  bool in_start_line_ = true;
  bool complete_ = false;
};

// `raw` is what the scanner found complete, without the skipped lines; the views in the result point into it.
// Errors: kMalformedRequest, kHeadersTooLarge, kUriTooLong, kExpectationFailed, kMethodNotAllowed (CONNECT).
Result<RequestHead> parse_request_head(std::string_view raw, const HeadLimits& limits);
// Error: kUpstreamInvalidResponse.
Result<ResponseHead> parse_response_head(std::string_view raw, const HeadLimits& limits);

// RFC 9110 section 5.6.2, and what may stand in a value we send: no byte of a head we write is ever unchecked.
bool is_token(std::string_view text);
bool is_field_value(std::string_view text);

}  // namespace sluice::http
