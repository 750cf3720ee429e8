// Server-sent events (F47, F48): the decoder finds what the plain reference finds, wherever the bytes are cut, and an
// event that is written out again is read back the same.

#include "sluice/sse/decoder.hpp"

#include <algorithm>

#include "fuzz/fuzz.hpp"
#include "fuzz/sse_reference.hpp"

namespace sluice::fuzz {
namespace {

constexpr std::size_t kLimits[] = {1 << 20, 24};

SseStream decode(const Input& input, std::size_t limit) {
  SseStream stream;
  sse::Decoder decoder(limit);
  const sse::Decoder::Sink sink = [&](const sse::Event& event) {
    require(event.has_data || event.data.empty(), "no data without a data line");
    stream.events.push_back({std::string(event.type), std::string(event.data), event.has_data});
    return true;
  };
  input.each_piece([&](std::span<char> piece) {
    const auto fed = decoder.feed({piece.data(), piece.size()}, sink);
    stream.too_big = !fed;
    require(fed || fed.error().kind == ErrorKind::kUpstreamEventTooBig, "nothing fails but for size");
    return !stream.too_big;
  });
  if (!stream.too_big) stream.too_big = !decoder.finish(sink);
  return stream;
}

// Line ends of any kind come back as LF; the type of an event is one line.
std::string with_line_feeds(std::string_view data) {
  std::string text;
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (data[i] == '\n' && i > 0 && data[i - 1] == '\r') continue;
    text += data[i] == '\r' ? '\n' : data[i];
  }
  return text;
}

void try_encoder(std::string_view type, std::string_view data) {
  std::string text;
  sse::append_event(text, type, data);
  const std::string first_line(type.substr(0, type.find_first_of("\r\n")));
  const SseStream wanted{{{first_line, with_line_feeds(data), true}}, false};
  require(sse_reference(text, SIZE_MAX) == wanted, "an event that is written is read back");
}

}  // namespace

void test(const Input& input) {
  for (const std::size_t limit : kLimits) {
    const SseStream wanted = sse_reference(input.bytes, limit);
    require(decode({input.bytes}, limit) == wanted, "the decoder agrees with the reference");
    require(decode(input, limit) == wanted, "wherever the bytes are cut");
    require(decode(byte_by_byte(input.bytes), limit) == wanted, "also if they come one by one");
  }
  for (const SseEvent& event : sse_reference(input.bytes, SIZE_MAX).events) try_encoder(event.type, event.data);
  const std::size_t half = input.bytes.size() / 2;
  try_encoder(input.bytes.substr(0, half), input.bytes.substr(half));
}

}  // namespace sluice::fuzz
