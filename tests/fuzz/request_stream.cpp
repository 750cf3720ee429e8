// A client's connection (F01, F07, F09, F10, F13): the real session reads heads and bodies from a socket. What it
// serves and what it refuses is what a plain reading of the same bytes says, however they are cut, and each of its own
// answers is a response that our own reader believes.

#include "server/session.hpp"

#include "fuzz/chunked_reference.hpp"
#include "fuzz/connected_pair.hpp"
#include "fuzz/fuzz.hpp"

namespace sluice::fuzz {
namespace {

constexpr std::size_t kMaxBody = 1000;

std::string told(std::string_view method, std::string_view target, std::string_view body) {
  return std::string(method).append(" ").append(target).append(" <").append(body).append(">\n");
}

// What the connection comes to: the requests that are served, then the code of the refusal, if there is one.
struct Reading {
  std::string served;
  std::vector<std::string> methods;
  std::string refused;
  bool operator==(const Reading&) const = default;
};

class PlainReader {
 public:
  explicit PlainReader(std::string_view bytes) : rest_(bytes) {}
  Reading read() {
    while (request()) {
    }
    return reading_;
  }

 private:
  bool refuse(ErrorKind kind) {
    reading_.refused = traits(kind).code;
    return false;
  }

  bool request() {
    http::HeadScanner scanner(http::HeadScanner::Side::kRequest, {});
    const auto size = scanner.scan(rest_);
    if (!size) return refuse(size.error().kind);
    if (!*size) return false;
    const auto head = http::parse_request_head(rest_.substr(scanner.skipped(), **size), {});
    if (!head) return refuse(head.error().kind);
    rest_.remove_prefix(scanner.skipped() + **size);
    return body(*head);
  }

  bool body(const http::RequestHead& head) {
    std::string body;
    if (head.framing == http::Framing::kChunked) {
      const Chunked chunked = read_chunked(rest_, kMaxBody);
      if (chunked.end == Chunked::End::kTooLarge) return refuse(ErrorKind::kRequestTooLarge);
      if (chunked.end == Chunked::End::kMalformed) return refuse(ErrorKind::kMalformedRequest);
      if (chunked.end == Chunked::End::kIncomplete) return false;
      body = chunked.body;
      rest_.remove_prefix(chunked.size);
    } else {
      if (head.content_length > kMaxBody) return refuse(ErrorKind::kRequestTooLarge);
      if (head.content_length > rest_.size()) return false;
      body = rest_.substr(0, head.content_length);
      rest_.remove_prefix(head.content_length);
    }
    reading_.served += told(head.method, head.target, body);
    reading_.methods.emplace_back(head.method);
    return head.keep_alive;
  }

  std::string_view rest_;
  Reading reading_;
};

// Answers everything, and remembers it.
class EchoService final : public server::Service {
 public:
  EchoService() { limits_.body_bytes = kMaxBody; }
  const config::Limits& limits() const override { return limits_; }
  Result<void> admit(pipeline::Exchange&) const override { return {}; }
  bool recorded() const override { return true; }
  Task<Result<void>> handle(pipeline::Exchange& exchange) const override {
    const http::RequestHead& head = exchange.request.head;
    reading.served += told(head.method, head.target, exchange.request.body);
    reading.methods.emplace_back(head.method);
    co_return co_await exchange.sink->respond({}, "{}");
  }
  mutable Reading reading;

 private:
  config::Limits limits_;
};

class NoUpstreams final : public http::Client {
  Task<Result<void>> warm(std::shared_ptr<const http::Origin>, std::size_t, milliseconds) override {
    co_return Result<void>{};
  }
  void configure(http::ClientLimits) override {}
  Task<Result<std::unique_ptr<http::ResponseStream>>> open(const http::Outgoing&, http::OpenTimes&) override {
    require(false, "nothing goes to an upstream");
    co_return fail(ErrorKind::kInternal, "");
  }
  UpstreamCounts counts() const override { return {}; }
};

// Takes the answers apart: one per request, then at most one refusal, whose code it returns.
std::string check_answers(std::string_view bytes, const Reading& reading) {
  std::size_t answered = 0;
  while (!bytes.empty()) {
    http::HeadScanner scanner(http::HeadScanner::Side::kResponse, {});
    const auto size = scanner.scan(bytes);
    require(size && *size, "an answer has a head that can be read");
    const auto head = http::parse_response_head(bytes.substr(0, **size), {});
    require(head.has_value(), "and believed");
    bytes.remove_prefix(**size);
    if (head->status == 100) continue;
    require(head->framing == http::Framing::kLength, "a whole answer has a length");
    const bool is_head = head->status == 200 && reading.methods.at(answered) == "HEAD";
    const std::string_view body = bytes.substr(0, is_head ? 0 : head->content_length);
    require(is_head || body.size() == head->content_length, "and is as long as that");
    bytes.remove_prefix(body.size());
    if (head->status == 200) {
      ++answered;
      continue;
    }
    require(bytes.empty() && !head->keep_alive, "after a refusal nothing follows");
    require(answered == reading.methods.size(), "what was served before was answered before");
    constexpr std::string_view kCode = "\"code\":\"";
    const std::size_t at = body.find(kCode);
    require(at != std::string_view::npos, "a refusal says why");
    return std::string(body.substr(at + kCode.size(), body.find('"', at + kCode.size()) - at - kCode.size()));
  }
  require(answered == reading.methods.size(), "every request is answered");
  return {};
}

Reading serve(const Input& input) {
  static net::io_context io(1);
  static TimerWheel wheel(Clock::now());
  static NoUpstreams upstreams;
  static observe::Metrics metrics;
  static server::InFlight::List in_flight;
  const auto service = std::make_shared<EchoService>();
  std::size_t records = 0;
  bool over = false;
  server::SessionContext context{.timers = wheel,
                                 .upstreams = upstreams,
                                 .metrics = metrics,
                                 .in_flight = in_flight,
                                 .service = [&] { return service; },
                                 .record = [&](const observe::Record&) { ++records; },
                                 .draining = [] { return false; }};
  const auto run = [] {
    io.restart();
    io.poll();
  };
  ConnectedPair pair;
  std::string answers;
  {
    http::TcpSocket socket(io);
    pair.give_to(socket);
    const auto session = std::make_shared<server::Session>(std::move(socket), IpAddress{}, context);
    session->start([&over](server::Session&) { over = true; });
  }
  run();
  input.each_piece([&](std::span<char> piece) {
    pair.send(piece);
    run();
    pair.receive(answers);
    return true;
  });
  pair.end();
  run();
  pair.receive(answers);
  require(over, "the session ends when the client has left");
  require(metrics.connections == 0 && metrics.requests_in_flight == 0, "nothing is left of it");
  require(records >= service->reading.methods.size(), "each request has a record");
  service->reading.refused = check_answers(answers, service->reading);
  return service->reading;
}

}  // namespace

void test(const Input& input) {
  const Reading wanted = PlainReader(input.bytes).read();
  const Reading whole = serve({input.bytes});
  require(whole.served == wanted.served, "what is served is what stands there");
  require(whole.refused == wanted.refused, "what is refused is refused for the same reason");
  require(serve(input) == wanted, "however the bytes are cut");
  if (input.bytes.size() < 100) require(serve(byte_by_byte(input.bytes)) == wanted, "also byte by byte");
}

}  // namespace sluice::fuzz
