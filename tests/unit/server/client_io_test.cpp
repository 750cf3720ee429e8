// F09: how much of what a client sends is taken while its request is served.

#include "server/client_io.hpp"

#include <gtest/gtest.h>

#include "unit/http/loopback.hpp"

namespace sluice::server {
namespace {

using http::testing::ClientLoop;
using http::testing::Peer;
using http::testing::Server;

http::TcpSocket connected_to(const Server& server, net::io_context& io) {
  http::TcpSocket socket(io.get_executor());
  socket.connect({net::ip::make_address_v4("127.0.0.1"), server.port()});
  return socket;
}

// Takes `count` bytes off the connection.
Task<bool> take(ClientIo& io, std::size_t count) {
  while (io.input().size() < count) {
    if (co_await io.wait(Clock::now() + std::chrono::seconds(5)) != ClientIo::Input::kBytes) co_return false;
  }
  io.consume(count);
  co_return true;
}

// The most that was there while a client sent without end, after a head of that size had been read.
std::size_t read_ahead_after(std::size_t head) {
  Server server([](Peer& peer, int) {
    peer.send(std::string(512 * 1024, 'x'));
    peer.wait_end();
  });
  ClientLoop loop;
  ClientIo io(connected_to(server, loop.io), loop.wheel);
  EXPECT_TRUE(loop.run(take(io, head)));
  bool gone = false;
  io.watch([&gone] { gone = true; });
  EXPECT_TRUE(loop.run_until([&io] { return io.input().size() >= ClientIo::kReadAhead; }));
  loop.io.restart();
  while (loop.io.poll() > 0) {
  }
  EXPECT_FALSE(gone);
  const std::size_t most = io.input().size();
  io.unwatch();
  return most;
}

TEST(ClientIo, F09ReadsNoFurtherAheadThanTheLimit) {
  EXPECT_EQ(read_ahead_after(100), ClientIo::kReadAhead);
  EXPECT_EQ(read_ahead_after(60'000), ClientIo::kReadAhead) << "after a head that needed a large buffer";
}

}  // namespace
}  // namespace sluice::server
