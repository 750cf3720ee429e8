// The upstream client against a server on loopback: reuse, replay, early ends, time-outs.

#include "sluice/http/client.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "unit/http/client_fixture.hpp"

namespace sluice::http {
namespace {

using namespace std::chrono_literals;
using testing::HttpClient;
using testing::kOk;
using testing::kPatience;
using testing::Peer;
using testing::serve_many;
using testing::Server;

TEST_F(HttpClient, SendsTheRequestAndGivesTheAnswer) {
  std::string seen;
  Server server([&](Peer& peer, int) {
    seen = peer.read_head() + peer.read_bytes(5);
    peer.send(kOk);
    peer.wait_end();
  });
  auto out = request(server.port());
  out.head = Secret("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
  out.body = {"he", "", "llo"};
  const auto answer = ask(out);
  EXPECT_FALSE(answer.error.has_value());
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "ok");
  loop_.client.reset();
  EXPECT_EQ(seen, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
}

// The resolver reads this name as 127.0.0.1; it is no address in the configuration's sense.
TEST_F(HttpClient, F28ANameThatLeadsToAnInnerAddressIsConnectedToOnlyIfAllowed) {
  std::atomic<int> connections = 0;
  Server server([&](Peer& peer, int) {
    ++connections;
    peer.read_head();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  origin_.host = "127.1";
  const auto refused = ask(server.port());
  EXPECT_EQ(refused.kind(), ErrorKind::kUpstreamConnectFailed);
  ASSERT_TRUE(refused.error);
  EXPECT_NE(refused.error->detail.find("allow_addresses"), std::string::npos) << refused.error->detail;
  EXPECT_EQ(refused.error->message.find("127"), std::string::npos) << "the client hears of no address";
  EXPECT_EQ(connections, 0);
  origin_.allowed = {*parse_network("127.0.0.0/8")};
  EXPECT_EQ(ask(server.port()).body, "ok");
}

TEST_F(HttpClient, WhatWasOpenedAheadServesTheFirstRequest) {
  std::atomic<int> connections = 0;
  Server server([&](Peer& peer, int index) {
    ++connections;
    serve_many(peer, index);
  });
  const auto origin = request(server.port()).origin;
  EXPECT_TRUE(loop_.run(loop_.client->warm(origin, 2, kPatience)).has_value());
  EXPECT_EQ(loop_.client->counts().connections, 2U);
  EXPECT_TRUE(ask(server.port()).reused);
  EXPECT_EQ(loop_.client->counts().connections, 2U);
}

TEST_F(HttpClient, OpeningAheadEndsWithTheFirstFailure) {
  std::uint16_t port = 0;
  {
    Server gone(serve_many);
    port = gone.port();
  }
  const auto result = loop_.run(loop_.client->warm(request(port).origin, 5, kPatience));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kUpstreamConnectFailed);
  EXPECT_EQ(loop_.client->counts().connections, 1U);
}

TEST_F(HttpClient, ReusesAConnectionThatWasReadToItsEnd) {
  Server server(serve_many);
  EXPECT_FALSE(ask(server.port()).reused);
  for (int i = 0; i < 5; ++i) {
    const auto answer = ask(server.port());
    EXPECT_TRUE(answer.reused);
    EXPECT_EQ(answer.body, "ok");
  }
  EXPECT_EQ(server.connections(), 1);
  loop_.client.reset();
}

TEST_F(HttpClient, SharesConnectionsAmongEqualIdentitiesOnly) {
  Server server(serve_many);
  ask(server.port());
  auto other = request(server.port());
  auto origin = std::make_shared<Origin>(*other.origin);
  origin->identity += "|other";
  other.origin = origin;
  EXPECT_FALSE(ask(other).reused);
  EXPECT_EQ(server.connections(), 2);
  loop_.client.reset();
}

TEST_F(HttpClient, KeepsNoMoreIdleConnectionsThanAllowed) {
  origin_.max_idle = 0;
  Server server(serve_many);
  ask(server.port());
  EXPECT_FALSE(ask(server.port()).reused);
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(HttpClient, DoesNotReuseWhatTheUpstreamWantsClosed) {
  for (const std::string head : {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
                                 "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"}) {
    Server server([&](Peer& peer, int) {
      peer.read_head();
      peer.send(head);
      peer.wait_end();
    });
    EXPECT_EQ(ask(server.port()).body, "ok");
    EXPECT_FALSE(ask(server.port()).reused);
    EXPECT_EQ(server.connections(), 2);
  }
}

TEST_F(HttpClient, U55AReusedConnectionThatDiesIsReplacedOnceUnseen) {
  Server server([](Peer& peer, int number) {
    peer.read_head();
    peer.send(kOk);
    if (number == 0) {
      peer.read_head();
      peer.close();
    } else {
      peer.wait_end();
    }
  });
  ask(server.port());
  const auto answer = ask(server.port());
  EXPECT_FALSE(answer.error.has_value());
  EXPECT_EQ(answer.body, "ok");
  EXPECT_FALSE(answer.reused) << "the answer came over a new connection";
  EXPECT_EQ(server.connections(), 2);
  loop_.client.reset();
}

TEST_F(HttpClient, U55AReplayThatFailsIsNotReplayedAgain) {
  Server server([](Peer& peer, int number) {
    peer.read_head();
    if (number == 0) {
      peer.send(kOk);
      peer.read_head();
    }
  });
  ask(server.port());
  EXPECT_EQ(ask(server.port()).kind(), ErrorKind::kUpstreamReset);
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(HttpClient, AFreshConnectionThatDiesIsNotReplaced) {
  Server server([](Peer& peer, int) { peer.read_head(); });
  EXPECT_EQ(ask(server.port()).kind(), ErrorKind::kUpstreamReset);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(HttpClient, AReusedConnectionThatBeganToAnswerIsNotReplaced) {
  Server server([](Peer& peer, int) {
    peer.read_head();
    peer.send(kOk);
    peer.read_head();
    peer.send("HTTP/1.1 2");
  });
  ask(server.port());
  EXPECT_EQ(ask(server.port()).kind(), ErrorKind::kUpstreamReset);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(HttpClient, AConnectionWithBytesBehindTheAnswerIsNeverUsedAgain) {
  Server server([](Peer& peer, int) {
    peer.read_head();
    peer.send(kOk + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    peer.wait_end();
  });
  for (int i = 0; i < 3; ++i) {
    const auto answer = ask(server.port());
    EXPECT_EQ(answer.body, "ok");
    EXPECT_FALSE(answer.reused);
  }
  EXPECT_EQ(server.connections(), 3);
}

TEST_F(HttpClient, AnIdleConnectionThatSpeaksUnaskedIsNeverUsedAgain) {
  std::atomic<int> spoke = 0;
  std::atomic<bool> answered = false;
  Server server([&](Peer& peer, int) {
    peer.read_head();
    peer.send(kOk);
    while (!answered) std::this_thread::yield();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    ++spoke;
    peer.wait_end();
  });
  EXPECT_EQ(ask(server.port()).body, "ok");
  answered = true;
  ASSERT_TRUE(loop_.run_until([&] { return spoke == 1; }));
  loop_.io.restart();
  loop_.io.poll();
  const auto answer = ask(server.port());
  EXPECT_EQ(answer.body, "ok");
  EXPECT_FALSE(answer.reused);
  loop_.client.reset();
}

TEST_F(HttpClient, IdleConnectionsAreClosedAfterTheirTime) {
  origin_.idle_timeout = 50ms;
  std::atomic<bool> ended = false;
  Server server([&](Peer& peer, int) {
    peer.read_head();
    peer.send(kOk);
    ended = peer.wait_end();
  });
  ask(server.port());
  EXPECT_TRUE(loop_.run_until([&] { return ended.load(); }));
}

TEST_F(HttpClient, U42InterimResponsesAreSkipped) {
  const std::string interim = "HTTP/1.1 100 Continue\r\n\r\n";
  const auto answer = ask_for(interim + interim + interim + "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + kOk);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "ok");
}

TEST_F(HttpClient, U42EndlessInterimResponsesAndUpgradesAreRefused) {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(ask_for(many).kind(), ErrorKind::kUpstreamInvalidResponse);
  EXPECT_EQ(ask_for("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n" + kOk).kind(),
            ErrorKind::kUpstreamInvalidResponse);
}

TEST_F(HttpClient, F32AnEarlyEndIsToldFromAGoodOne) {
  EXPECT_EQ(ask_for("").kind(), ErrorKind::kUpstreamReset);
  EXPECT_EQ(ask_for("HTTP/1.1 200 OK\r\nContent-Le").kind(), ErrorKind::kUpstreamReset);
  EXPECT_EQ(ask_for("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok").kind(), ErrorKind::kUpstreamTruncated);
  EXPECT_EQ(ask_for("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n").kind(),
            ErrorKind::kUpstreamTruncated);
  EXPECT_EQ(ask_for("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n").kind(),
            ErrorKind::kUpstreamTruncated);
  const auto until_close = ask_for("HTTP/1.1 200 OK\r\n\r\nok");
  EXPECT_FALSE(until_close.error.has_value());
  EXPECT_EQ(until_close.body, "ok");
}

TEST_F(HttpClient, F32AResetIsNotTheEndOfABodyWithoutALength) {
  Server server([](Peer& peer, int) {
    peer.read_head();
    peer.send("HTTP/1.1 200 OK\r\n\r\nok");
    peer.reset();
  });
  EXPECT_TRUE(ask(server.port()).error.has_value());
}

TEST_F(HttpClient, ChunkedBodiesAreDecodedAndTheirConnectionsReused) {
  Server server([](Peer& peer, int) {
    while (!peer.read_head().empty()) {
      peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: u\r\n\r\n");
    }
  });
  EXPECT_EQ(ask(server.port()).body, "abcde");
  const auto second = ask(server.port());
  EXPECT_EQ(second.body, "abcde");
  EXPECT_TRUE(second.reused);
  loop_.client.reset();
}

TEST_F(HttpClient, F44BrokenAnswersAreRefusedAndTheirConnectionsDropped) {
  for (const std::string bad :
       {"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "hello\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}) {
    Server server([&](Peer& peer, int) {
      peer.read_head();
      peer.send(bad);
      peer.wait_end();
    });
    EXPECT_EQ(ask(server.port()).kind(), ErrorKind::kUpstreamInvalidResponse) << bad;
    EXPECT_FALSE(ask(server.port()).reused) << bad;
  }
}

TEST_F(HttpClient, F44AnEndlessTrailerIsCutOff) {
  const std::string start = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: ";
  EXPECT_EQ(ask_for(start + std::string(70 * 1024, 'y')).kind(), ErrorKind::kUpstreamInvalidResponse);
}

TEST_F(HttpClient, BodilessAnswersEndAtOnce) {
  EXPECT_EQ(ask_for("HTTP/1.1 204 No Content\r\n\r\n").status, 204);
  EXPECT_EQ(ask_for("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").body, "");
}

TEST_F(HttpClient, ABodyMuchLargerThanTheBufferArrivesWhole) {
  std::string body(3'000'000, ' ');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 26);
  const auto answer = ask_for("HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + body);
  EXPECT_FALSE(answer.error.has_value());
  EXPECT_TRUE(answer.body == body);
}

TEST_F(HttpClient, F27ARefusedConnectionIsAnError) {
  EXPECT_EQ(ask(testing::dead_port()).kind(), ErrorKind::kUpstreamConnectFailed);
}

TEST_F(HttpClient, F28ANameThatDoesNotResolveIsAnError) {
  origin_.host = std::string(64, 'x') + ".invalid";  // a label this long exists nowhere, and nobody need be asked
  const auto answer = ask(80);
  EXPECT_EQ(answer.kind(), ErrorKind::kUpstreamConnectFailed);
  ASSERT_TRUE(answer.error.has_value());
  EXPECT_EQ(answer.error->message.find("xxx"), std::string::npos) << "the client need not know the name";
}

TEST_F(HttpClient, ANameWithAnAddressThatRefusesGoesOnToTheNext) {
  origin_.host = "localhost";
  Server server(serve_many);
  EXPECT_EQ(ask(server.port()).body, "ok");
  loop_.client.reset();
}

TEST_F(HttpClient, F30AHeadThatDoesNotComeInTimeIsATimeout) {
  Server server([](Peer& peer, int) {
    peer.read_head();
    peer.wait_end();
  });
  auto out = request(server.port());
  const auto started = Clock::now();
  out.head_due = started + 60ms;
  EXPECT_EQ(ask(out).kind(), ErrorKind::kUpstreamTimeout);
  EXPECT_GE(Clock::now() - started, 60ms);
}

TEST_F(HttpClient, F30InterimResponsesDoNotPutTheTimeoutOff) {
  Server server([](Peer& peer, int) {
    peer.read_head();
    peer.send("HTTP/1.1 100 Continue\r\n\r\n");
    peer.wait_end();
  });
  auto out = request(server.port());
  out.head_due = Clock::now() + 60ms;
  EXPECT_EQ(ask(out).kind(), ErrorKind::kUpstreamTimeout);
}

TEST_F(HttpClient, F31SilenceInTheBodyIsAnIdleTimeout) {
  Server server([](Peer& peer, int) {
    peer.read_head();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok");
    peer.wait_end();
  });
  auto stream = loop_.run(open(request(server.port())));
  ASSERT_TRUE(stream.has_value());
  EXPECT_EQ(*loop_.run((*stream)->read_some(Clock::now() + testing::kPatience)), "ok");
  const auto more = loop_.run((*stream)->read_some(Clock::now() + 40ms));
  ASSERT_FALSE(more.has_value());
  EXPECT_EQ(more.error().kind, ErrorKind::kUpstreamIdleTimeout);
}

TEST_F(HttpClient, F29PlainTextWhereTlsWasWantedIsATlsError) {
  origin_.tls = *TlsContext::create("", true);
  Server server([](Peer& peer, int) { peer.send("HTTP/1.1 400 Bad Request\r\n\r\n"), peer.wait_end(); });
  EXPECT_EQ(ask(server.port()).kind(), ErrorKind::kUpstreamTls);
}

TEST_F(HttpClient, F05DestroyingTheStreamClosesTheSocketAtOnce) {
  auto quickest = 1h + 0ns;
  for (int i = 0; i < 5; ++i) {
    std::atomic<TimePoint> ended{TimePoint{}};
    Server server([&](Peer& peer, int) {
      peer.read_head();
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello");
      if (peer.wait_end()) ended = Clock::now();
    });
    auto stream = loop_.run(open(request(server.port())));
    ASSERT_TRUE(stream.has_value());
    const auto destroyed = Clock::now();
    stream->reset();  // and the loop does not run again
    while (ended.load() == TimePoint{} && Clock::now() < destroyed + testing::kPatience) std::this_thread::yield();
    ASSERT_NE(ended.load(), TimePoint{});
    quickest = std::min<nanoseconds>(quickest, ended.load() - destroyed);
  }
  EXPECT_LT(quickest, 50ms);
}

TEST_F(HttpClient, F06CancellingEndsTheWaitForAHeadAndClosesTheSocket) {
  std::atomic<bool> asked = false, ended = false;
  Server server([&](Peer& peer, int) {
    asked = !peer.read_head().empty();
    ended = peer.wait_end();
  });
  net::cancellation_signal client_left;
  std::optional<ErrorKind> kind;
  net::co_spawn(loop_.io, open(request(server.port())),
                net::bind_cancellation_slot(client_left.slot(), [&](std::exception_ptr thrown, auto stream) {
                  EXPECT_FALSE(thrown);
                  if (!stream) kind = stream.error().kind;
                }));
  ASSERT_TRUE(loop_.run_until([&] { return asked.load(); }));
  client_left.emit(net::cancellation_type::terminal);
  EXPECT_TRUE(loop_.run_until([&] { return kind.has_value(); }));
  EXPECT_EQ(kind, ErrorKind::kClientGone);
  EXPECT_TRUE(loop_.run_until([&] { return ended.load(); }));
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(HttpClient, FinishKeepsAConnectionWhoseLastChunkComesSoon) {
  std::atomic<bool> let_go = false;
  Server server([&](Peer& peer, int) {
    peer.read_head();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n");
    while (!let_go) std::this_thread::yield();
    peer.send("0\r\n\r\n");
    peer.read_head();
    peer.send(kOk);
    peer.wait_end();
  });
  auto stream = loop_.run(open(request(server.port())));
  ASSERT_TRUE(stream.has_value());
  EXPECT_EQ(*loop_.run((*stream)->read_some(Clock::now() + testing::kPatience)), "ok");
  ResponseStream::finish(std::move(*stream));
  let_go = true;
  bool reused = false;
  EXPECT_TRUE(loop_.run_until([&] { return reused = reused || ask(server.port()).reused; }));
  loop_.client.reset();
}

TEST_F(HttpClient, FinishDropsAConnectionThatGoesOnTalking) {
  std::atomic<bool> ended = false;
  Server server([&](Peer& peer, int) {
    peer.read_head();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n");
    peer.send("4\r\nmore\r\n");
    ended = peer.wait_end();
  });
  auto stream = loop_.run(open(request(server.port())));
  ASSERT_TRUE(stream.has_value());
  ResponseStream::finish(std::move(*stream));
  EXPECT_TRUE(loop_.run_until([&] { return ended.load(); }));
}

TEST_F(HttpClient, FinishGivesUpOnAnEndThatDoesNotCome) {
  std::atomic<bool> ended = false;
  Server server([&](Peer& peer, int) {
    peer.read_head();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n");
    ended = peer.wait_end();
  });
  auto stream = loop_.run(open(request(server.port())));
  ASSERT_TRUE(stream.has_value());
  EXPECT_EQ(*loop_.run((*stream)->read_some(Clock::now() + testing::kPatience)), "ok");
  ResponseStream::finish(std::move(*stream));
  EXPECT_TRUE(loop_.run_until([&] { return ended.load(); }));
}

TEST_F(HttpClient, AClientMayGoWhileAnEndIsAwaited) {
  Server server([](Peer& peer, int) {
    peer.read_head();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n");
    EXPECT_TRUE(peer.wait_end());
  });
  auto stream = loop_.run(open(request(server.port())));
  ASSERT_TRUE(stream.has_value());
  EXPECT_EQ(*loop_.run((*stream)->read_some(Clock::now() + testing::kPatience)), "ok");
  ResponseStream::finish(std::move(*stream));
  loop_.client.reset();
  loop_.io.restart();
  loop_.io.poll();
}

TEST_F(HttpClient, F43AnAnswerBeforeTheWholeRequestWasReadCounts) {
  Server server([](Peer& peer, int) {
    peer.read_head();
    peer.send("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig");
  });
  const std::string body(8'000'000, 'x');
  auto out = request(server.port());
  out.head = Secret("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n");
  out.body = {body};
  const auto answer = ask(out);
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.body, "big");
}

// Off: the answer is looked at only when the whole request is written or `head_due` has passed.
TEST_F(HttpClient, F43AnEarlyAnswerStopsAnUploadNobodyReads) {
  std::atomic<bool> over = false;
  Server server([&](Peer& peer, int) {
    peer.read_head();
    peer.send("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig");
    while (!over) std::this_thread::yield();
  });
  const std::string body(64'000'000, 'x');
  auto out = request(server.port());
  out.head = Secret("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 64000000\r\n\r\n");
  out.body = {body};
  const auto started = Clock::now();
  out.head_due = started + 2s;
  const auto answer = ask(out);
  over = true;
  EXPECT_EQ(answer.status, 413);
  EXPECT_LT(Clock::now() - started, 1s);
}

}  // namespace
}  // namespace sluice::http
