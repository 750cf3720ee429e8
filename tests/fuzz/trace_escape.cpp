// Trace and log lines (F17): whatever strangers put into a record, it stays one line, the trace's is JSON that strict
// readers take, and text comes back as it was.

#include <nlohmann/json.hpp>

#include "fuzz/fuzz.hpp"
#include "sluice/core/json_string.hpp"
#include "sluice/observe/record.hpp"

namespace sluice::fuzz {
namespace {

using nlohmann::json;

// Every text that comes from outside is the input.
observe::Record record_with(std::string_view text) {
  observe::Record record;
  record.time = std::chrono::system_clock::time_point(std::chrono::microseconds(1'795'236'816'351'267));
  record.started = TimePoint(std::chrono::seconds(5));
  record.request_id = "req_0123456789abcdef01234567";
  record.client_request_id = record.upstream_request_id = record.model = record.upstream_model = text;
  record.error = record.detail = record.finish_reason = text;
  record.outcome = Outcome::kUpstreamError;
  record.usage = {.input = std::int64_t{1} << 53, .output = 0, .source = UsageSource::kReported, .anomalous = true};
  record.bytes_in = record.bytes_out = UINT64_MAX;
  for (std::size_t i = 0; i < observe::kStages; i += 2) {
    record.reached(static_cast<observe::Stage>(i), record.started + std::chrono::hours(static_cast<int>(i)));
  }
  return record;
}

void check_line(std::string_view line) {
  require(line.ends_with('\n') && line.find('\n') == line.size() - 1, "exactly one line");
  line.remove_suffix(1);
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t length = utf8_sequence(line, at);
    require(length > 0, "UTF-8 throughout");
    const std::string_view one = line.substr(at, length);
    require(length > 1 || (one[0] >= ' ' && one[0] < 0x7F), "no control character");
    const bool c1 = length == 2 && one[0] == '\xC2' && static_cast<unsigned char>(one[1]) < 0xA0;
    require(!c1 && one != "\xE2\x80\xA8" && one != "\xE2\x80\xA9", "nothing that a terminal or a script takes for one");
    at += length;
  }
}

// Length of the UTF-8 sequence that `text` begins with, by working out the code point; 0 if it is none.
std::size_t sequence_at(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(text[i])); };
  if (byte(0) < 0x80) return 1;
  const std::size_t length = byte(0) >> 5 == 0b110 ? 2 : byte(0) >> 4 == 0b1110 ? 3 : byte(0) >> 3 == 0b11110 ? 4 : 0;
  if (length == 0 || text.size() < length) return 0;
  unsigned code = byte(0) & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if (byte(i) >> 6 != 0b10) return 0;
    code = code << 6 | (byte(i) & 0x3F);
  }
  const bool surrogate = code >= 0xD800 && code < 0xE000;
  const unsigned least = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
  return code >= least && code <= 0x10FFFF && !surrogate ? length : 0;
}

// The text with U+FFFD for each byte that is not UTF-8.
std::string readable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = sequence_at(text);
    out += length > 0 ? text.substr(0, length) : "\xEF\xBF\xBD";
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

}  // namespace

void test(const Input& input) {
  const observe::Record record = record_with(input.bytes);
  std::string trace, log;
  observe::append_trace_lines(trace, record);
  observe::append_log_line(log, record);
  check_line(trace);
  check_line(log);
  const json line = json::parse(trace, nullptr, false);
  require(line.is_object(), "a trace line is strict JSON");
  const std::string text = readable(input.bytes);
  for (const char* name :
       {"model", "upstream_model", "client_request_id", "upstream_request_id", "error", "detail", "finish_reason"}) {
    const bool absent = text.empty() && !line.contains(name);
    require(absent || line[name] == text, "text comes back as it was");
  }
  require(line["bytes_in"] == UINT64_MAX && line["usage"]["input"] == std::int64_t{1} << 53, "numbers come back");
  std::string quoted = " model=";
  append_json_string(quoted, input.bytes);
  require(log.find(quoted + " status=0 ") != std::string::npos, "the log's text is quoted");
  require(json::parse(quoted.substr(7)) == text, "and can be unquoted");
}

}  // namespace sluice::fuzz
