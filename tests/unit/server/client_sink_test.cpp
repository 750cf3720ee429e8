// What stands in the heads of our answers.

#include "server/client_sink.hpp"

#include <gtest/gtest.h>

#include <future>

#include "unit/http/loopback.hpp"

namespace sluice::server {
namespace {

using http::testing::ClientLoop;
using http::testing::Peer;
using http::testing::Server;

// The head that a client reads of such an answer.
std::string head_of(http::ResponseStart start) {
  std::promise<std::string> head;
  Server server([&head](Peer& peer, int) { head.set_value(peer.read_head()); });
  ClientLoop loop;
  http::TcpSocket socket(loop.io.get_executor());
  socket.connect({net::ip::make_address_v4("127.0.0.1"), server.port()});
  http::Transport transport(std::move(socket), loop.wheel);
  const std::function<bool()> draining = [] { return false; };
  ClientSink sink(transport, draining);
  sink.begin({}, "req_1", std::chrono::seconds(5));
  EXPECT_TRUE(loop.run(sink.respond(std::move(start), "{}")).has_value());
  return head.get_future().get();
}

TEST(BeastHoles, CrLfIsNeverWrittenIntoAHeadOfOurs) {
  for (const std::string evil : {"a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rX-Evil: 1", "\r\n\r\n<html>", "a\x01"}) {
    const std::string head = head_of({.fields = {{"openai-version", evil}, {"openai-processing-ms", "12"}}});
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n")) << head;
    EXPECT_EQ(head.find("X-Evil"), std::string::npos) << head;
    EXPECT_EQ(head.find("openai-version"), std::string::npos) << head;
    EXPECT_NE(head.find("\r\nopenai-processing-ms: 12\r\n"), std::string::npos) << head;
    EXPECT_NE(head.find("\r\ncontent-length: 2\r\n"), std::string::npos) << head;
  }
}

}  // namespace
}  // namespace sluice::server
