#pragma once
// The upstream client on a loop of its own, and what comes of asking it.

#include "sluice/http/client.hpp"
#include "unit/http/loopback.hpp"

namespace sluice::http::testing {

inline const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

inline void serve_many(Peer& peer, int) {
  while (!peer.read_head().empty()) peer.send(kOk);
}

struct Answer {
  int status = 0;
  std::string body;
  bool reused = false;
  std::optional<Error> error;

  ErrorKind kind() const { return error ? error->kind : ErrorKind::kInternal; }
};

class HttpClient : public ::testing::Test {
 protected:
  explicit HttpClient(ClientLimits limits = {}, LookUp look_up = system_look_up) : loop_(limits, std::move(look_up)) {}
  void SetUp() override { origin_.host = "127.0.0.1"; }
  Outgoing request(std::uint16_t port) {
    auto origin = std::make_shared<Origin>(origin_);
    origin->port = port;
    origin->identity = origin->host + "|" + std::to_string(port);
    Outgoing out;
    out.origin = std::move(origin);
    out.head = Secret("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    out.connect_timeout = kPatience;
    out.head_due = Clock::now() + kPatience;
    return out;
  }

  Task<Answer> exchange(Outgoing request) {
    OpenTimes times;
    auto stream = co_await loop_.client->open(request, times);
    Answer answer;
    answer.reused = times.reused;
    if (!stream) {
      answer.error = stream.error();
      co_return answer;
    }
    answer.status = (*stream)->head().status;
    for (;;) {
      auto bytes = co_await (*stream)->read_some(Clock::now() + kPatience);
      if (!bytes) answer.error = bytes.error();
      if (!bytes || bytes->empty()) co_return answer;
      answer.body += *bytes;
    }
  }
  Answer ask(Outgoing out) { return loop_.run(exchange(std::move(out))); }
  Answer ask(std::uint16_t port) { return ask(request(port)); }

  // The answer to a request that a server answers with `bytes` on every connection, and then closes.
  Answer ask_for(const std::string& bytes) {
    Server server([&](Peer& peer, int) {
      peer.read_head();
      peer.send(bytes);
    });
    return ask(server.port());
  }

  Task<Result<std::unique_ptr<ResponseStream>>> open(Outgoing request) {
    OpenTimes times;
    co_return co_await loop_.client->open(request, times);
  }

  Origin origin_;
  ClientLoop loop_;
};

}  // namespace sluice::http::testing
