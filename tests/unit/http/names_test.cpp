// F28: names whose look-up fails, hangs, flaps, or turns to an address that must not be connected to.

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "unit/http/client_fixture.hpp"

namespace sluice::http {
namespace {

using namespace std::chrono_literals;
using testing::kOk;
using testing::kPatience;
using testing::Peer;
using testing::serve_many;
using testing::Server;

// A name server that says of every name what a test tells it. Any thread.
class NameServer {
 public:
  LookUpResult look_up() {
    std::unique_lock lock(mutex_);
    asked_at_.push_back(Clock::now());
    changed_.wait_for(lock, kPatience, [&] { return !hanging_; });
    answered_at_.push_back(Clock::now());
    return answer_;
  }
  void says(const std::vector<std::string>& addresses) {
    std::vector<IpAddress> parsed;
    for (const auto& text : addresses) parsed.push_back(*parse_ip(text));
    set(std::move(parsed));
  }
  void fails() { set(std::unexpected("server failure")); }
  void hangs() {  // until it says something or fails
    std::lock_guard lock(mutex_);
    hanging_ = true;
  }
  std::size_t asked() const {
    std::lock_guard lock(mutex_);
    return asked_at_.size();
  }
  // Between an answer and the next question.
  nanoseconds pause() const {
    std::lock_guard lock(mutex_);
    return asked_at_.at(1) - answered_at_.at(0);
  }

 private:
  void set(LookUpResult answer) {
    std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
    hanging_ = false;
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  LookUpResult answer_;
  bool hanging_ = false;
  std::vector<TimePoint> asked_at_;
  std::vector<TimePoint> answered_at_;
};

// Asks for api.example, which may lead to 127.0.0.2 and to nothing else that is not public. No answer of the name
// server is believed twice, unless a test says for how long, and no connection is kept.
class Names : public testing::HttpClient {
 protected:
  static constexpr in_addr_t kGood = INADDR_LOOPBACK + 1;
  static constexpr const char* kGoodText = "127.0.0.2";

  Names() : Names(std::make_shared<NameServer>()) {}
  void SetUp() override {
    origin_.host = "api.example";
    origin_.allowed = {*parse_network(kGoodText)};
    origin_.max_idle = 0;
  }
  void TearDown() override { names_->fails(); }  // lets go of a look-up that hangs

  void believe_for(milliseconds ttl) { loop_.client->configure({.head = {}, .dns_ttl = ttl}); }
  UpstreamCounts counts() const { return loop_.client->counts(); }
  testing::Answer ask_for_at_most(milliseconds connect_timeout, std::uint16_t port) {
    auto out = request(port);
    out.connect_timeout = connect_timeout;
    return ask(std::move(out));
  }
  // Asks once, which has the name looked up anew, and waits for what is found.
  void refresh(std::uint16_t port) {
    ask(port);
    ASSERT_TRUE(loop_.settle_look_ups());
  }

  std::shared_ptr<NameServer> names_;

 private:
  explicit Names(std::shared_ptr<NameServer> names)
      : HttpClient({.head = {}, .dns_ttl = 0ms}, [names](const std::string&) { return names->look_up(); }),
        names_(names) {}
};

bool may_fall_back(const testing::Answer& answer) { return traits(answer.kind()).may_fall_back; }

TEST_F(Names, F28AFailedLookUpIsAConnectFailureAndNothingIsConnected) {
  names_->fails();
  const auto failed = ask(80);
  EXPECT_EQ(failed.kind(), ErrorKind::kUpstreamConnectFailed);
  EXPECT_TRUE(may_fall_back(failed));
  ASSERT_TRUE(failed.error);
  EXPECT_EQ(failed.error->detail, "api.example: server failure");
  EXPECT_FALSE(failed.error->no_retry) << "it may come back";
  EXPECT_EQ(failed.error->message.find("api.example"), std::string::npos) << "the client need not know the name";
  names_->says({});
  EXPECT_EQ(ask(80).error->detail, "api.example: no address");
  EXPECT_EQ(counts().connections, 0U);
  EXPECT_EQ(counts().of(LookUpEnd::kFailed), 2U);
}

TEST_F(Names, F28ANameThatComesBackServesAgain) {
  Server server(serve_many, kGood);
  names_->fails();
  EXPECT_TRUE(ask(server.port()).error);
  names_->says({kGoodText});
  EXPECT_EQ(ask(server.port()).body, "ok");
}

TEST_F(Names, F28AFailureIsForgottenAfterASecond) {
  Server server(serve_many, kGood);
  believe_for(1h);
  names_->fails();
  EXPECT_TRUE(ask(server.port()).error);
  names_->says({kGoodText});
  ASSERT_TRUE(loop_.run_until([&] { return ask(server.port()).body == "ok"; }));
  EXPECT_EQ(names_->asked(), 2U);
  EXPECT_GE(names_->pause(), 1s);
}

TEST_F(Names, F28ASlowLookUpEndsWithTheConnectTimeout) {
  names_->hangs();
  const auto started = Clock::now();
  const auto slow = ask_for_at_most(40ms, 80);
  EXPECT_GE(Clock::now() - started, 40ms);
  EXPECT_LT(Clock::now() - started, kPatience / 2);
  EXPECT_EQ(slow.kind(), ErrorKind::kUpstreamTimeout);
  EXPECT_TRUE(may_fall_back(slow));
  ASSERT_TRUE(slow.error);
  EXPECT_EQ(slow.error->detail, "connect: name look-up timed out");
  EXPECT_EQ(counts().of(LookUpEnd::kTimedOut), 1U);
  EXPECT_EQ(counts().connections, 0U);
}

TEST_F(Names, F28ASlowLookUpIsCountedOnceAndItsAnswerKept) {
  Server server(serve_many, kGood);
  believe_for(1h);
  names_->hangs();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ask_for_at_most(5ms, server.port()).kind(), ErrorKind::kUpstreamTimeout);
  }
  names_->says({kGoodText});
  ASSERT_TRUE(loop_.settle_look_ups());
  EXPECT_EQ(ask(server.port()).body, "ok");
  EXPECT_EQ(names_->asked(), 1U) << "nobody asks a second time what is being looked up";
  EXPECT_EQ(counts().of(LookUpEnd::kTimedOut), 1U);
  EXPECT_EQ(counts().of(LookUpEnd::kOk), 0U);
}

TEST_F(Names, F28WhoAsksMeanwhileWaitsForTheSameLookUp) {
  Server server(serve_many, kGood);
  believe_for(1h);
  names_->hangs();
  int good = 0;
  for (int i = 0; i < 3; ++i) {
    net::co_spawn(loop_.io, exchange(request(server.port())), [&](std::exception_ptr thrown, testing::Answer answer) {
      EXPECT_FALSE(thrown);
      good += answer.body == "ok" ? 1 : 0;
    });
  }
  ASSERT_TRUE(loop_.run_until([&] { return names_->asked() == 1; }));
  names_->says({kGoodText});
  EXPECT_TRUE(loop_.run_until([&] { return good == 3; }));
  EXPECT_EQ(names_->asked(), 1U);
  EXPECT_EQ(counts().of(LookUpEnd::kOk), 1U);
  EXPECT_EQ(counts().connections, 3U);
}

TEST_F(Names, F06F28AClientThatLeavesDuringALookUpIsNoTimeOut) {
  names_->hangs();
  net::cancellation_signal client_left;
  std::optional<ErrorKind> kind;
  net::co_spawn(loop_.io, exchange(request(80)),
                net::bind_cancellation_slot(client_left.slot(), [&](std::exception_ptr thrown, testing::Answer answer) {
                  EXPECT_FALSE(thrown);
                  kind = answer.kind();
                }));
  ASSERT_TRUE(loop_.run_until([&] { return names_->asked() == 1; }));
  client_left.emit(net::cancellation_type::terminal);
  ASSERT_TRUE(loop_.run_until([&] { return kind.has_value(); }));
  EXPECT_EQ(kind, ErrorKind::kClientGone);
  EXPECT_EQ(counts(), UpstreamCounts{});
  names_->says({kGoodText});
  ASSERT_TRUE(loop_.settle_look_ups());
  EXPECT_EQ(counts().of(LookUpEnd::kOk), 1U);
}

TEST_F(Names, F28ALookUpMayEndAfterItsClient) {
  names_->hangs();
  EXPECT_EQ(ask_for_at_most(5ms, 80).kind(), ErrorKind::kUpstreamTimeout);
  loop_.client.reset();
  names_->says({kGoodText});
  EXPECT_TRUE(loop_.settle_look_ups());
}

TEST_F(Names, F28AFlappingNameKeepsItsLastGoodAddress) {
  Server server(serve_many, kGood);
  names_->says({kGoodText});
  EXPECT_EQ(ask(server.port()).body, "ok");
  for (int i = 0; i < 5; ++i) {
    names_->fails();
    refresh(server.port());
    EXPECT_EQ(ask(server.port()).body, "ok") << "after a failure";
    ASSERT_TRUE(loop_.settle_look_ups());
    names_->says({kGoodText});
    refresh(server.port());
  }
  EXPECT_EQ(counts().of(LookUpEnd::kFailed), 10U);
  EXPECT_EQ(counts().of(LookUpEnd::kOk), 6U);
  EXPECT_EQ(counts().connections, 16U) << "nobody was turned away";
}

TEST_F(Names, F28WhileALookUpHangsTheLastGoodAddressServesAtOnce) {
  Server server(serve_many, kGood);
  names_->says({kGoodText});
  EXPECT_EQ(ask(server.port()).body, "ok");
  names_->hangs();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(server.port()).body, "ok");
  EXPECT_TRUE(loop_.run_until([&] { return names_->asked() == 2; }));
  EXPECT_EQ(counts().of(LookUpEnd::kTimedOut), 0U) << "nobody had to wait";
}

TEST_F(Names, F28AnAnswerIsBelievedForItsTime) {
  Server server(serve_many, kGood);
  believe_for(1h);
  names_->says({kGoodText});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(server.port()).body, "ok");
  EXPECT_EQ(names_->asked(), 1U);
  EXPECT_EQ(counts().of(LookUpEnd::kOk), 1U);
  EXPECT_EQ(counts().connections, 5U);
}

TEST_F(Names, F28AnAnswerIsNotBelievedForLonger) {
  const auto port = testing::dead_port();
  believe_for(30ms);
  names_->says({kGoodText});
  ASSERT_TRUE(loop_.run_until([&] {
    EXPECT_EQ(ask(port).kind(), ErrorKind::kUpstreamConnectFailed);
    return names_->asked() == 2;
  }));
  EXPECT_GE(names_->pause(), 30ms);
}

struct Rebinding {
  const char* address;
  AddressKind kind;
};
constexpr Rebinding kRebindings[] = {
    {"127.0.0.1", AddressKind::kLoopback},       {"::1", AddressKind::kLoopback},
    {"::ffff:7f00:1", AddressKind::kLoopback},   {"64:ff9b::7f00:1", AddressKind::kLoopback},
    {"10.0.0.5", AddressKind::kPrivate},         {"64:ff9b::a00:5", AddressKind::kPrivate},
    {"fd00::5", AddressKind::kPrivate},          {"192.0.2.1", AddressKind::kReserved},
    {"169.254.169.254", AddressKind::kMetadata}, {"::ffff:a9fe:a9fe", AddressKind::kMetadata},
    {"169.254.1.1", AddressKind::kLinkLocal},    {"fe80::1", AddressKind::kLinkLocal},
    {"0.0.0.0", AddressKind::kUnusable},         {"224.0.0.1", AddressKind::kUnusable},
};

// At the same port of 127.0.0.1 somebody would answer.
TEST_F(Names, F28ANameThatIsBoundToAnInnerAddressLaterIsNotConnectedTo) {
  Server trap([](Peer& peer, int) { peer.read_head(), peer.send(kOk); });
  Server server(serve_many, kGood, trap.port());
  for (const auto& [address, kind] : kRebindings) {
    names_->says({kGoodText});
    refresh(server.port());
    ASSERT_EQ(ask(server.port()).body, "ok") << "it came back, before " << address;
    ASSERT_TRUE(loop_.settle_look_ups());
    names_->says({address});
    refresh(server.port());  // served by the address known before
    auto before = counts();
    const auto refused = ask(server.port());
    auto after = counts();
    EXPECT_EQ(after.connections, before.connections) << address;
    EXPECT_EQ(after.of(kind), before.of(kind) + 1) << address;
    EXPECT_EQ(refused.kind(), ErrorKind::kUpstreamConnectFailed) << address;
    ASSERT_TRUE(refused.error) << address;
    EXPECT_TRUE(refused.error->no_retry) << "it does not pass by itself";
    EXPECT_TRUE(may_fall_back(refused));
    EXPECT_TRUE(refused.error->detail.starts_with("api.example leads to ")) << refused.error->detail;
    EXPECT_EQ(refused.error->message.find("leads"), std::string::npos) << "the client hears of no address";
    ASSERT_TRUE(loop_.settle_look_ups());
  }
  EXPECT_EQ(trap.connections(), 0);
}

TEST_F(Names, F28AFirstAnswerIsJudgedAsWell) {
  Server trap(serve_many);
  for (const auto& [address, kind] : kRebindings) {
    origin_.host = "another-" + origin_.host;
    names_->says({address});
    EXPECT_EQ(ask(trap.port()).kind(), ErrorKind::kUpstreamConnectFailed) << address;
  }
  EXPECT_EQ(counts().connections, 0U);
  EXPECT_EQ(trap.connections(), 0);
}

TEST_F(Names, F28OnlyTheGoodAddressesOfANameAreConnectedTo) {
  Server trap([](Peer& peer, int) { peer.read_head(), peer.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"); });
  Server server(serve_many, kGood, trap.port());
  names_->says({"127.0.0.1", "169.254.169.254", kGoodText});
  EXPECT_EQ(ask(server.port()).body, "ok");
  EXPECT_EQ(counts().connections, 1U);
  EXPECT_EQ(counts().of(AddressKind::kLoopback), 1U);
  EXPECT_EQ(counts().of(AddressKind::kMetadata), 1U);
  EXPECT_EQ(trap.connections(), 0);
}

TEST_F(Names, AnAddressThatIsWrittenOutIsNotLookedUp) {
  Server server(serve_many);
  origin_.host = "127.0.0.1";
  origin_.max_idle = 8;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(server.port()).body, "ok");
  EXPECT_EQ(names_->asked(), 0U);
  EXPECT_EQ(counts().connections, 1U) << "the others went over the same";
  EXPECT_EQ(ask(testing::dead_port()).kind(), ErrorKind::kUpstreamConnectFailed);
  EXPECT_EQ(counts().connections, 2U) << "begun is counted, whatever becomes of it";
  loop_.client.reset();
}

}  // namespace
}  // namespace sluice::http
