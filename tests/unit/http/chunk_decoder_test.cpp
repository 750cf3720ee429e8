#include "sluice/http/chunk_decoder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace sluice::http {
namespace {

using Fault = ChunkDecoder::Fault;
using namespace std::string_literals;

// How a stream of bytes was read: the payload, what was left over, and the fault if there was one.
struct Outcome {
  std::string payload;
  std::size_t consumed = 0;
  bool done = false;
  std::optional<Fault> fault;
  bool operator==(const Outcome&) const = default;
};

void feed(ChunkDecoder& decoder, std::string piece, Outcome& outcome) {
  if (outcome.done || outcome.fault) return;
  auto step = decoder.decode(piece);
  if (!step) {
    outcome.fault = step.error();
    // How much of a refused message had been read before the fault depends on the pieces, and nobody uses it.
    outcome.payload.clear();
    outcome.consumed = 0;
    return;
  }
  EXPECT_LE(step->payload, step->consumed);
  EXPECT_LE(step->consumed, piece.size());
  EXPECT_TRUE(step->done || step->consumed == piece.size());
  outcome.payload += piece.substr(0, step->payload);
  outcome.consumed += step->consumed;
  outcome.done = step->done;
}

Outcome decode(const std::string& bytes, ChunkLimits limits = {}) {
  ChunkDecoder decoder(limits);
  Outcome outcome;
  feed(decoder, bytes, outcome);
  return outcome;
}

Outcome decode_cut(const std::string& bytes, std::size_t at, ChunkLimits limits = {}) {
  ChunkDecoder decoder(limits);
  Outcome outcome;
  feed(decoder, bytes.substr(0, at), outcome);
  feed(decoder, bytes.substr(at), outcome);
  return outcome;
}

Outcome decode_bytewise(const std::string& bytes, ChunkLimits limits = {}) {
  ChunkDecoder decoder(limits);
  Outcome outcome;
  for (const char c : bytes) feed(decoder, std::string(1, c), outcome);
  return outcome;
}

void expect_fault(const std::string& bytes, Fault fault = Fault::kMalformed, ChunkLimits limits = {}) {
  EXPECT_EQ(decode(bytes, limits).fault, fault) << bytes.substr(0, 80);
}

const std::string kHello = "5\r\nhello\r\n0\r\n\r\n";

constexpr std::string_view kGood[] = {"5\r\nhello\r\n0\r\n\r\n",
                                      "0000000005\r\nhello\r\n000\r\n\r\n",
                                      "5;a\r\nhello\r\n0;b=c\r\n\r\n",
                                      "5;a=\"b;\\\"c\"\r\nhello\r\n0\r\n\r\n",
                                      "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
                                      "1\r\nh\r\n1\r\ne\r\n1\r\nl\r\n1\r\nl\r\n1\r\no\r\n0\r\n\r\n",
                                      "5\r\nhello\r\n0\r\nX-Checksum: 7\r\nY:\r\n\r\n"};

constexpr std::string_view kBad[] = {"0x5\r\nhello\r\n0\r\n\r\n",
                                     "+5\r\nhello\r\n0\r\n\r\n",
                                     "-5\r\nhello\r\n0\r\n\r\n",
                                     "0_5\r\nhello\r\n0\r\n\r\n",
                                     " 5\r\nhello\r\n0\r\n\r\n",
                                     "5 ;a\r\nhello\r\n0\r\n\r\n",
                                     "5\t\r\nhello\r\n0\r\n\r\n",
                                     "\r\nhello\r\n0\r\n\r\n",
                                     ";a\r\nhello\r\n0\r\n\r\n",
                                     "10000000000000005\r\nhello\r\n0\r\n\r\n",
                                     "5\nhello\r\n0\r\n\r\n",
                                     "5\rhello\r\n0\r\n\r\n",
                                     "5\r\nhello0\r\n\r\n",
                                     "5\r\nhelloXX\r\n0\r\n\r\n",
                                     "5\r\nhello\n0\r\n\r\n",
                                     "5\r\nhello\r0\r\n\r\n",
                                     "5;a\nX\r\nhello\r\n0\r\n\r\n",
                                     "5;a=\"b\r\nhello\r\n0\r\n\r\n",
                                     "5;a=b\r\rX\r\nhello\r\n0\r\n\r\n",
                                     "5\r\r;ABCD\r\n34\r\nE\r\n0\r\n\r\n",
                                     "5;a\x7f\r\nhello\r\n0\r\n\r\n",
                                     "5;\x80\r\nhello\r\n0\r\n\r\n",
                                     "5\r\nhello\r\n0\n\r\n",
                                     "5\r\nhello\r\n0\r\nX\r\n\r\n",
                                     "5\r\nhello\r\n0\r\nX : y\r\n\r\n",
                                     "5\r\nhello\r\n0\r\n X: y\r\n\r\n",
                                     "5\r\nhello\r\n0\r\nX: a\nb\r\n\r\n",
                                     "5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n",
                                     "5\r\nhello\r\n0\r\ntransfer-encoding: chunked\r\n\r\n",
                                     "5\r\nhello\r\n0\r\nHost: evil\r\n\r\n",
                                     "g\r\nhello\r\n0\r\n\r\n"};

TEST(ChunkDecoder, ReadsWhatIsGood) {
  for (const auto good : kGood) {
    const auto outcome = decode(std::string(good));
    EXPECT_TRUE(outcome.done) << good;
    EXPECT_EQ(outcome.payload, "hello") << good;
    EXPECT_EQ(outcome.consumed, good.size()) << good;
  }
}

TEST(ChunkDecoder, RefusesWhatCouldBeReadInTwoWays) {
  for (const auto bad : kBad) expect_fault(std::string(bad));
  expect_fault("5;\0\r\nhello\r\n0\r\n\r\n"s);
}

TEST(ChunkDecoder, TheVerdictDoesNotDependOnTheCut) {
  std::vector<std::string> all(std::begin(kGood), std::end(kGood));
  all.insert(all.end(), std::begin(kBad), std::end(kBad));
  for (const auto& bytes : all) {
    const auto wanted = decode(bytes);
    for (std::size_t at = 0; at <= bytes.size(); ++at) ASSERT_EQ(decode_cut(bytes, at), wanted) << bytes << at;
    ASSERT_EQ(decode_bytewise(bytes), wanted) << bytes;
  }
}

TEST(ChunkDecoder, StopsBehindTheEnd) {
  const auto outcome = decode(kHello + "GET / HTTP/1.1\r\n");
  EXPECT_TRUE(outcome.done);
  EXPECT_EQ(outcome.consumed, kHello.size());
  EXPECT_EQ(outcome.payload, "hello");
}

TEST(ChunkDecoder, IsNotDoneBeforeTheEnd) {
  for (std::size_t size = 0; size < kHello.size(); ++size) {
    const auto outcome = decode(kHello.substr(0, size));
    EXPECT_FALSE(outcome.done) << size;
    EXPECT_FALSE(outcome.fault.has_value()) << size;
  }
}

TEST(ChunkDecoder, MovesTheSamePayloadToTheFrontHoweverItIsCut) {
  std::mt19937 random(5);
  const auto below = [&](std::size_t limit) { return random() % limit; };
  for (int round = 0; round < 200; ++round) {
    std::string payload, bytes;
    for (std::size_t n = below(12); n > 0; --n) {
      std::string chunk(1 + below(round % 2 == 0 ? 20 : 3000), ' ');
      for (char& c : chunk) c = static_cast<char>(below(256));
      char size[16];
      std::snprintf(size, sizeof size, below(2) == 0 ? "%zx" : "%04zX", chunk.size());
      bytes += size + std::string(below(3) == 0 ? ";x=\"y\"" : "") + "\r\n" + chunk + "\r\n";
      payload += chunk;
    }
    bytes += "0\r\n\r\n";
    ChunkDecoder decoder;
    Outcome outcome;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t size = std::min(1 + below(700), bytes.size() - at);
      feed(decoder, bytes.substr(at, size), outcome);
      at += size;
    }
    ASSERT_TRUE(outcome.done);
    ASSERT_EQ(outcome.payload, payload);
  }
}

TEST(ChunkDecoder, TheSizeLineTakesNoByteButItsOwn) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string c(1, static_cast<char>(byte));
    const bool hex = std::string_view("0123456789abcdefABCDEF").find(c) != std::string_view::npos && byte != 0;
    const auto before = decode(c + kHello);
    ASSERT_EQ(before.fault.has_value(), !hex) << "before the size: " << byte;
    ASSERT_EQ(before.done, byte == '0') << "before the size: " << byte;
    const auto after = decode("5" + c + "\r\nhello\r\n0\r\n\r\n");
    ASSERT_EQ(after.fault.has_value(), !hex && byte != ';') << "after the size: " << byte;
    ASSERT_EQ(after.done, byte == ';') << "after the size: " << byte;
    ASSERT_TRUE(decode("5\r" + c + "\nhello\r\n0\r\n\r\n").fault.has_value()) << "between CR and LF: " << byte;
    const auto instead = decode(c + "\r\nhello\r\n0\r\n\r\n");
    ASSERT_EQ(instead.done && instead.payload == "hello", byte == '5') << "instead of the size: " << byte;
  }
}

TEST(ChunkDecoder, ThePayloadMayBeAsLongAsTheLimitAndNotAByteLonger) {
  const std::string bytes = "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n";
  EXPECT_TRUE(decode(bytes, {.payload = 8}).done);
  EXPECT_TRUE(decode(bytes, {.payload = 7}).done);
  expect_fault(bytes, Fault::kTooLarge, {.payload = 6});
  expect_fault("8000000000000000\r\n", Fault::kTooLarge, {.payload = 64 * 1024 * 1024});
  expect_fault("1\r\na\r\nffffffffffffffff\r\n", Fault::kTooLarge);
}

TEST(ChunkDecoder, TheSizeIsRefusedBeforeTheDataComes) {
  expect_fault("7\r\n", Fault::kTooLarge, {.payload = 6});
  EXPECT_FALSE(decode("7", {.payload = 6}).fault.has_value());
}

TEST(ChunkDecoder, ExtensionsHaveOneLimitForAllTogether) {
  const auto with = [](std::size_t first, std::size_t second) {
    return "1;" + std::string(first, 'x') + "\r\na\r\n1;" + std::string(second, 'x') + "\r\nb\r\n0\r\n\r\n";
  };
  const ChunkLimits limits{.extensions = 100};
  EXPECT_TRUE(decode(with(49, 49), limits).done);
  EXPECT_TRUE(decode(with(98, 0), limits).done);
  expect_fault(with(101, 0), Fault::kOverhead, limits);
  expect_fault(with(51, 51), Fault::kOverhead, limits);
  expect_fault("1;" + std::string(101, 'x'), Fault::kOverhead, limits);
}

TEST(ChunkDecoder, TrailersHaveALimit) {
  const auto with = [](std::size_t size) { return "0\r\nX: " + std::string(size - 3, 'y') + "\r\n\r\n"; };
  const ChunkLimits limits{.trailers = 100};
  EXPECT_TRUE(decode(with(98), limits).done);
  expect_fault(with(101), Fault::kOverhead, limits);
  expect_fault("0\r\nX: " + std::string(70 * 1024, 'y'), Fault::kOverhead);
  std::string many = "0\r\n";
  for (int i = 0; i < 40; ++i) many += "X:y\r\n";
  expect_fault(many, Fault::kOverhead, limits);
}

TEST(ChunkDecoder, FramingMayNotOutweighThePayloadForLong) {
  std::string tiny;
  for (int i = 0; i < 100'000; ++i) tiny += "1\r\nx\r\n";
  expect_fault(tiny, Fault::kOverhead, {.free_overhead = 16 * 1024});
  std::string fair;
  for (int i = 0; i < 10'000; ++i) fair += "8\r\nabcdefgh\r\n";
  EXPECT_EQ(decode(fair + "0\r\n\r\n", {.free_overhead = 64}).payload.size(), 80'000U);
  EXPECT_TRUE(decode(std::string(tiny.data(), 600) + "0\r\n\r\n", {.free_overhead = 1000}).done)
      << "a little of it is nobody's business";
  EXPECT_TRUE(decode(tiny + "0\r\n\r\n").done) << "no limit was set";
}

}  // namespace
}  // namespace sluice::http
