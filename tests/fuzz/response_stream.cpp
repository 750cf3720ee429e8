// An upstream's connection (F32, F43, F44): the real response reads 1xx, heads and bodies from a socket. The body it
// gives, the error it ends with, and whether the connection may serve again are what a plain reading of the same bytes
// says, however they are cut.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "fuzz/chunked_reference.hpp"
#include "fuzz/connected_pair.hpp"
#include "fuzz/fuzz.hpp"
#include "http/upstream_response.hpp"

namespace sluice::fuzz {
namespace {

using http::Framing;

std::string code(ErrorKind kind) { return std::string(traits(kind).code); }

struct Reading {
  int status = 0;
  std::string body;
  std::string error;  // code; empty: complete
  bool reusable = false;
};

// What came right before a malformed chunk may be lost with it.
bool fits(const Reading& got, const Reading& wanted) {
  const bool malformed = wanted.error == code(ErrorKind::kUpstreamInvalidResponse);
  return got.status == wanted.status && got.error == wanted.error && got.reusable == wanted.reusable &&
         (malformed ? wanted.body.starts_with(got.body) : wanted.body == got.body);
}

void read_body(const http::ResponseHead& head, std::string_view rest, Reading& reading) {
  reading.status = head.status;
  std::size_t used = 0;
  if (head.framing == Framing::kChunked) {
    const Chunked chunked = read_chunked(rest);
    const bool malformed = chunked.end == Chunked::End::kMalformed || chunked.end == Chunked::End::kTooLarge;
    if (malformed) reading.error = code(ErrorKind::kUpstreamInvalidResponse);
    if (chunked.end == Chunked::End::kIncomplete) reading.error = code(ErrorKind::kUpstreamTruncated);
    reading.body = chunked.body;
    used = chunked.size;
  } else if (head.framing == Framing::kLength) {
    reading.body = rest.substr(0, head.content_length);
    used = reading.body.size();
    if (used < head.content_length) reading.error = code(ErrorKind::kUpstreamTruncated);
  } else if (head.framing == Framing::kUntilClose) {
    reading.body = rest;
    used = rest.size();
  }
  reading.reusable = reading.error.empty() && head.keep_alive && used == rest.size();
}

Reading read_plainly(std::string_view rest) {
  constexpr int kMaxInterim = 16;
  Reading reading;
  for (int interim = 0; interim <= kMaxInterim; ++interim) {
    http::HeadScanner scanner(http::HeadScanner::Side::kResponse, {});
    const auto size = scanner.scan(rest);
    if (size && !*size) {
      reading.error = code(ErrorKind::kUpstreamReset);
      return reading;
    }
    const auto head = size ? http::parse_response_head(rest.substr(0, **size), {}) : std::unexpected(size.error());
    if (!head || head->status == 101) break;
    rest.remove_prefix(**size);
    if (head->status < 200) continue;
    read_body(*head, rest, reading);
    return reading;
  }
  reading.error = code(ErrorKind::kUpstreamInvalidResponse);
  return reading;
}

struct Loop {
  net::io_context io{1};
  TimerWheel wheel{Clock::now()};
  void run() {
    io.restart();
    io.poll();
  }
};

// Reads all of the answer; or, if `leave_early`, up to its first bytes, and leaves the rest to the background.
Task<void> read_answer(std::unique_ptr<http::UpstreamResponse> response, bool leave_early, Reading& reading,
                       bool& over) {
  bool got_bytes = false;
  const auto head = co_await response->read_head({}, kNever, got_bytes);
  if (!head) {
    reading.error = traits(head.error().kind).code;
  } else {
    reading.status = response->head().status;
    for (bool more = true; more;) {
      const auto bytes = co_await response->read_some(kNever);
      if (!bytes) reading.error = traits(bytes.error().kind).code;
      if (bytes) reading.body += *bytes;
      more = bytes && !bytes->empty() && !leave_early;
    }
  }
  if (leave_early && reading.error.empty()) http::ResponseStream::finish(std::move(response));
  over = true;
}

Reading receive(const Input& input, bool leave_early) {
  static Loop loop;
  static const auto origin = std::make_shared<http::Origin>();
  http::Pool pool(loop.wheel);
  ConnectedPair pair;
  Reading reading;
  bool over = false;
  auto connection = std::make_unique<http::UpstreamConnection>(loop.io, loop.wheel);
  pair.give_to(connection->read->transport().socket());
  auto response = std::make_unique<http::UpstreamResponse>(pool, origin, std::move(connection));
  net::co_spawn(loop.io, read_answer(std::move(response), leave_early, reading, over), net::detached);
  loop.run();
  input.each_piece([&](std::span<char> piece) {
    pair.send(piece);
    loop.run();
    return true;
  });
  if (over) reading.reusable = pool.take(*origin) != nullptr;
  pair.end();
  loop.run();
  require(over, "an answer ends when its upstream does");
  require(pool.take(*origin) == nullptr, "a closed connection is not used again");
  loop.run();
  return reading;
}

}  // namespace

void test(const Input& input) {
  const Reading wanted = read_plainly(input.bytes);
  const Reading whole = receive({input.bytes}, false);
  require(whole.status == wanted.status && whole.error == wanted.error, "the answer ends as its bytes say");
  require(fits(whole, wanted), "its body is what stands there, and nothing strange waits for the next request");
  require(fits(receive(input, false), wanted), "however the bytes are cut");
  if (input.bytes.size() < 100) require(fits(receive(byte_by_byte(input.bytes), false), wanted), "also byte by byte");
  for (const Input& again : {Input{input.bytes}, input}) {
    const Reading early = receive(again, true);
    require(early.reusable ? wanted.reusable : true,
            "a connection whose answer was left early is reused only if clean");
  }
}

}  // namespace sluice::fuzz
