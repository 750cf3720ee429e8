#include "sluice/sse/decoder.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace sluice::sse {
namespace {

struct Seen {
  std::string type, data;
  bool has_data = false;
  bool operator==(const Seen&) const = default;
};
void PrintTo(const Seen& seen, std::ostream* out) { *out << "{" << seen.type << "|" << seen.data << "}"; }

std::vector<Seen> decode(std::vector<std::string_view> pieces, std::size_t limit = 1 << 20) {
  std::vector<Seen> seen;
  Decoder decoder(limit);
  const Decoder::Sink sink = [&seen](const Event& event) {
    seen.push_back({std::string(event.type), std::string(event.data), event.has_data});
    return true;
  };
  for (const std::string_view piece : pieces) {
    // A copy that is gone afterwards: views into a piece must not outlive it.
    const std::string copy(piece);
    EXPECT_TRUE(decoder.feed(copy, sink));
  }
  EXPECT_TRUE(decoder.finish(sink));
  return seen;
}

// The HTML Standard's algorithm as it is written, on the whole text: lines first, then fields.
std::vector<std::string> reference_lines(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<std::string> lines(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' || text[i] == '\n') {
      if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
      lines.emplace_back();
    } else {
      lines.back() += text[i];
    }
  }
  return lines;
}

std::vector<Seen> reference(std::string_view text) {
  std::vector<Seen> events;
  Seen event;
  std::vector<std::string> lines = reference_lines(text);
  lines.emplace_back();  // an event at the end of the stream counts
  for (const std::string& line : lines) {
    if (line.empty()) {
      if (event.has_data || !event.type.empty()) events.push_back(event);
      event = {};
      continue;
    }
    const std::size_t colon = line.find(':');
    const std::string name = line.substr(0, colon);
    std::string value = colon == std::string::npos ? "" : line.substr(colon + 1);
    if (!value.empty() && value[0] == ' ') value.erase(0, 1);
    if (name == "event") event.type = value;
    if (name == "data") {
      event.data += (event.has_data ? "\n" : "") + value;
      event.has_data = true;
    }
  }
  return events;
}

std::string chunk(std::string_view content) {
  return R"(data: {"choices":[{"index":0,"delta":{"content":")" + std::string(content) + "\"}}]}\n\n";
}
const std::string kFinish = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const std::string kDone = "data: [DONE]\n\n";

const std::vector<std::string>& vectors() {
  static const std::vector<std::string> all = {
      chunk("a") + kFinish + kDone,                             // U01-U03 by the line ends below
      chunk("北") + chunk("😀") + chunk("\\u4e2d") + kFinish,   // U10-U11
      "\xEF\xBB\xBF" + chunk("a") + kDone,                      // byte order mark
      "\xEF\xBB\xBF\n" + chunk("a"),                            //
      "\xEF\xBB",                                               // half a mark
      chunk("\xEF\xBB\xBF"),                                    // not at the start: content
      "data:no space\n\ndata:  two spaces\n\ndata\n\n",         //
      "data: one\ndata: two\ndata:\ndata\ndata: five\n\n",      //
      ": OPENROUTER PROCESSING\n\n:\n\n" + chunk("a"),          // U16
      "event: ping\ndata: {}\n\n" + chunk("a"),                 // U18
      "event: ping\n\n" + chunk("a"),                           //
      "event: a\nevent: b\ndata: x\n\nevent:\ndata: y\n\n",     //
      "retry: 1000\n\nid: 7\n\nfoo: bar\n\nevent\n\n" + kDone,  // U19-U20
      "data: cut in the middle",                                // no blank line
      "data: {\"a\":1}\nevent: late\n",                         //
      "\n\n\n" + chunk("a") + "\n\n\n" + kDone + "\n",          //
      "data : x\n\nDATA: y\n\n:data: z\n\ndatax: w\n\n",        // other names
      "data: a:b:c\n\ndata: :\n\n: \n\n",                       //
      std::string("data: a\0b\n\nid: \0\n\n", 18),              // NUL bytes
      "data: \xFF\xFE\n\n",                                     // bytes that are not UTF-8
      "data: x\n\n\xEF\xBB\xBF"
      "data: y\n\n",  //
      "",
      "\n",
  };
  return all;
}

std::string with_line_end(std::string_view text, std::string_view end) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += end;
    } else {
      out += c;
    }
  }
  return out;
}

std::vector<std::string_view> random_split(std::string_view text, std::mt19937& random) {
  std::vector<std::string_view> pieces;
  while (!text.empty()) {
    const std::size_t size =
        std::uniform_int_distribution<std::size_t>(0, std::min<std::size_t>(text.size(), 24))(random);
    pieces.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return pieces;
}

std::vector<std::string_view> per_byte(std::string_view text) {
  std::vector<std::string_view> pieces;
  for (std::size_t i = 0; i < text.size(); ++i) pieces.push_back(text.substr(i, 1));
  return pieces;
}

TEST(Decoder, EverySplitAndLineEndGivesTheEventsOfTheReference) {
  std::mt19937 random(7);
  for (const std::string& vector : vectors()) {
    const std::vector<Seen> wanted = reference(vector);
    for (const std::string_view end : {"\n", "\r\n", "\r"}) {
      const std::string text = with_line_end(vector, end);
      EXPECT_EQ(decode({text}), wanted) << vector;
      EXPECT_EQ(decode(per_byte(text)), wanted) << vector;
      for (std::size_t at = 0; at <= text.size(); ++at) {
        EXPECT_EQ(decode({std::string_view(text).substr(0, at), std::string_view(text).substr(at)}), wanted) << vector;
      }
      for (int i = 0; i < 50; ++i) EXPECT_EQ(decode(random_split(text, random)), wanted) << vector;
    }
  }
}

TEST(Decoder, RandomBytesGiveTheEventsOfTheReference) {
  std::mt19937 random(11);
  constexpr std::string_view kBits[] = {"data", ":",    " ",    "\n",           "\r",     "event",
                                        "x",    "\n\n", "\r\n", "\xEF\xBB\xBF", "data: y"};
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    const unsigned parts = random() % 24;
    for (unsigned i = 0; i < parts; ++i) text += kBits[random() % std::size(kBits)];
    const std::vector<Seen> wanted = reference(text);
    ASSERT_EQ(decode({text}), wanted) << testing::PrintToString(text);
    ASSERT_EQ(decode(random_split(text, random)), wanted) << testing::PrintToString(text);
  }
}

TEST(Decoder, HundredEventsInOnePieceAllArrive) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += chunk(std::to_string(i));
  EXPECT_EQ(decode({text}).size(), 100U);
}

TEST(Decoder, WholeEventIsHandedOnWithoutACopy) {
  const std::string text = "event: a\ndata: hello\n\n";
  Decoder decoder(1024);
  bool inside = false;
  const auto within = [&text](std::string_view view) {
    return view.data() >= text.data() && view.data() + view.size() <= text.data() + text.size();
  };
  EXPECT_TRUE(
      decoder.feed(text, [&](const Event& event) { return inside = within(event.data) && within(event.type); }));
  EXPECT_TRUE(inside);
}

TEST(Decoder, SinkStopsThePiece) {
  Decoder decoder(1024);
  int calls = 0;
  EXPECT_TRUE(decoder.feed("data: a\n\ndata: b\n\n", [&calls](const Event&) { return ++calls > 1; }));
  EXPECT_EQ(calls, 1);
}

// U24-U25, F47.
bool too_big(std::string_view text, std::size_t limit, std::size_t step) {
  Decoder decoder(limit);
  const Decoder::Sink sink = [](const Event&) { return true; };
  for (std::size_t at = 0; at < text.size(); at += step) {
    const Result<void> fed = decoder.feed(text.substr(at, step), sink);
    if (!fed) return fed.error().kind == ErrorKind::kUpstreamEventTooBig;
  }
  return !decoder.finish(sink);
}

TEST(Decoder, LimitFallsAtTheSameByteHoweverTheBytesAreSplit) {
  const std::string line = "data: " + std::string(94, 'x');
  const std::string two = "data: " + std::string(44, 'x') + "\ndata: " + std::string(44, 'x');
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
    EXPECT_FALSE(too_big(line + "\n\n", 100, step));
    EXPECT_TRUE(too_big(line + "\n\n", 99, step));
    EXPECT_TRUE(too_big(line, 99, step));
    EXPECT_FALSE(too_big(two + "\n\n", 94, step));
    EXPECT_TRUE(too_big(two + "\n\n", 93, step));
    EXPECT_TRUE(too_big(": " + std::string(200, 'c') + "\n", 100, step));
    EXPECT_FALSE(too_big(two + "\n\n" + two + "\n\n" + line + "\n\n", 100, step)) << "the limit is per event";
  }
}

TEST(Decoder, EndlessLineStopsAtTheLimit) {
  Decoder decoder(1 << 20);
  const std::string piece(64 * 1024, 'x');
  std::size_t fed = 0;
  while (decoder.feed(piece, [](const Event&) { return true; })) fed += piece.size();
  EXPECT_LE(fed, std::size_t{1} << 20);
}

TEST(Decoder, MegabyteOfBareCarriageReturnsTakesLinearTime) {
  std::string text;
  for (int i = 0; i < 500'000; ++i) text += "x\r";
  EXPECT_TRUE(decode({text}).empty());
}

TEST(AppendEvent, WritesOneDataLinePerLine) {
  std::string out;
  append_event(out, "", "a");
  append_event(out, "done", "b\nc\n");
  append_event(out, "", "");
  EXPECT_EQ(out, "data: a\n\nevent: done\ndata: b\ndata: c\ndata: \n\ndata: \n\n");
}

TEST(AppendEvent, CannotBeLedOutOfItsFrame) {
  std::string out;
  append_event(out, "a\ndata: evil", "x\ry\r\nz");
  EXPECT_EQ(out, "event: a\ndata: x\ndata: y\ndata: z\n\n");
}

TEST(AppendEvent, RoundTrips) {
  for (const std::string_view data : {"", "x", "a\nb", "\n", " leading", "{\"a\":1}"}) {
    std::string out;
    append_event(out, "t", data);
    EXPECT_EQ(decode({out}), (std::vector<Seen>{{"t", std::string(data), true}}));
  }
}

}  // namespace
}  // namespace sluice::sse
