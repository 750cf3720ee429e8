#include "server/in_flight.hpp"

#include <deque>

#include "unit/fakes.hpp"

namespace sluice::server {
namespace {

// An exchange that is under way for as long as it lives.
struct Served {
  Served(InFlight::List& list, const ClientSink& client, std::string id, bool stream) {
    record.request_id = std::move(id);
    record.stream = stream;
    record.started = TimePoint(milliseconds(100));
    in_flight.emplace(list, exchange, client);
  }

  http::Request request;
  fakes::MemorySink sink;
  fakes::ScriptedClient upstreams;
  observe::Record record;
  pipeline::Exchange exchange{request, &sink, upstreams, record};
  std::optional<InFlight> in_flight;
};

class InFlightTest : public ::testing::Test {
 protected:
  std::vector<std::string> ids(std::size_t most) const {
    std::vector<std::string> all;
    for (const auto& one : running_requests(list_, most, TimePoint(milliseconds(350))).oldest) {
      EXPECT_EQ(one.age, milliseconds(250));
      all.push_back(one.request_id);
    }
    return all;
  }

  net::io_context io_;
  TimerWheel wheel_{Clock::now(), [](TimePoint) {}};
  http::Transport transport_{http::TcpSocket(io_.get_executor()), wheel_};
  const std::function<bool()> draining_ = [] { return false; };
  ClientSink client_{transport_, draining_};
  InFlight::List list_;
};

using Ids = std::vector<std::string>;

TEST_F(InFlightTest, TheOldestAreShownAndAllAreCounted) {
  std::deque<Served> served;
  for (int i = 0; i < 5; ++i) served.emplace_back(list_, client_, std::to_string(i), i % 2 == 0);
  EXPECT_EQ(ids(3), (Ids{"0", "1", "2"}));
  const auto all = running_requests(list_, 3, Clock::now());
  EXPECT_EQ(all.requests, 5U);
  EXPECT_EQ(all.streams, 3U);
  served.pop_front();
  EXPECT_EQ(ids(9), (Ids{"1", "2", "3", "4"}));
}

TEST_F(InFlightTest, NothingIsLeftOfThoseThatAreOver) {
  {
    const Served one(list_, client_, "1", true);
  }
  EXPECT_EQ(ids(9), Ids());
  EXPECT_TRUE(list_.empty());
}

}  // namespace
}  // namespace sluice::server
