#include "http/tls_stream.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <map>

#include "support/socket.hpp"
#include "support/temp_dir.hpp"
#include "support/test_certificates.hpp"
#include "support/tls_bytes.hpp"

namespace sluice::http {
namespace {

using namespace support;
using Wait = TlsStep::Wait;

std::shared_ptr<const TlsContext> listener_context(bool client_required = false) {
  const TempDir directory;
  const PemIdentity identity = make_identity(Certificate::kGood);
  directory.write("server.pem", identity.certificate);
  directory.write("server.key", identity.key);
  directory.write("ca.pem", test_ca_pem());
  return *TlsContext::create_listener({.certificate = directory.path("server.pem"),
                                       .key = directory.path("server.key"),
                                       .client_ca = client_required ? directory.path("ca.pem") : "",
                                       .client_required = client_required});
}

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7 + i / 256);
  return text;
}

// The stream under test is the server; the client's records are moved by hand.
class TlsStreams : public ::testing::Test {
 protected:
  TlsStreams() { open(); }

  void open(bool client_required = false) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    ours_ = Fd(ends[0]);
    theirs_ = Fd(ends[1]);
    server_.emplace(*listener_context(client_required), TlsStream::Side::kServer, ours_.get());
  }
  void agree() {
    for (int i = 0; i < 10; ++i) {
      const bool ready = client_.handshake();
      exchange();
      const auto step = server_->handshake();
      ASSERT_TRUE(step.has_value()) << step.error().detail;
      exchange();
      if (ready && step->wait == Wait::kNothing) return;
    }
    FAIL() << "no agreement";
  }
  // Moves what lies ready, both ways.
  void exchange() {
    const std::string out = client_.take_out();
    ASSERT_EQ(write_some(theirs_.get(), out).bytes, out.size());
    client_.put_in(arrived());
  }
  std::string arrived() {
    std::string all;
    char piece[65536];
    for (Transfer got; (got = read_some(theirs_.get(), piece, sizeof piece)).bytes > 0;) all.append(piece, got.bytes);
    return all;
  }
  IoResult<TlsStep> write(std::initializer_list<std::string_view> pieces) {
    std::vector<boost::asio::const_buffer> buffers;
    for (auto piece : pieces) buffers.emplace_back(piece.data(), piece.size());
    return server_->write(buffers);
  }
  std::string read(std::size_t size = 65536) {
    std::string into(size, '\0');
    const auto step = server_->read(into);
    return step && step->wait == Wait::kNothing ? into.substr(0, step->bytes) : "";
  }
  IoFault read_fault() {
    char into[16];
    const auto step = server_->read(into);
    EXPECT_FALSE(step.has_value());
    return step ? IoFault::kOther : step.error().fault;
  }

  Fd ours_, theirs_;
  SslContext settings_ = client_context();
  TlsBytes client_{*settings_};
  std::optional<TlsStream> server_;
};

TEST_F(TlsStreams, CarriesBytesBothWays) {
  agree();
  char into[16];
  EXPECT_EQ(server_->read(into)->wait, Wait::kReadable);
  client_.write("question");
  exchange();
  EXPECT_EQ(read(), "question");
  EXPECT_EQ(write({"ans", "wer"})->bytes, 6U);
  exchange();
  EXPECT_EQ(client_.read(), "answer");
}

TEST_F(TlsStreams, SmallPiecesShareARecord) {
  agree();
  ASSERT_EQ(write({"1f\r\n", std::string(31, 'x'), "\r\n"})->wait, Wait::kNothing);
  const std::string wire = arrived();
  ASSERT_GT(wire.size(), 5U);
  const auto length =
      static_cast<std::size_t>(static_cast<unsigned char>(wire[3]) << 8 | static_cast<unsigned char>(wire[4]));
  EXPECT_EQ(wire.size(), 5 + length) << "one record holds it all";
}

TEST_F(TlsStreams, ManySmallRecordsAreReadAtOnce) {
  agree();
  for (int i = 0; i < 100; ++i) client_.write("event\n");
  exchange();
  EXPECT_EQ(read().size(), 600U);
}

TEST_F(TlsStreams, AReadTakesNoMoreThanThereIsRoomFor) {
  agree();
  const std::string sent = pattern(40'000);
  client_.write(sent);
  exchange();
  std::string got;
  while (got.size() < sent.size()) {
    const std::string piece = read(1'000);
    ASSERT_FALSE(piece.empty());
    got += piece;
  }
  EXPECT_EQ(got, sent);
  EXPECT_FALSE(server_->has_unread());
}

TEST_F(TlsStreams, AWriteThatDoesNotFitGoesOnWhereItStopped) {
  agree();
  const std::string sent = pattern(3'000'000);
  std::string_view left = sent;
  std::string got;
  bool was_halved = false;
  while (!left.empty()) {
    const auto step = write({left.substr(0, 10), left.substr(std::min<std::size_t>(10, left.size()))});
    ASSERT_TRUE(step.has_value());
    left.remove_prefix(step->bytes);
    was_halved |= server_->half_written();
    if (left.empty()) break;
    EXPECT_EQ(step->wait, Wait::kWritable);
    if (!server_->half_written()) continue;
    client_.put_in(arrived());
    got += client_.read();
  }
  client_.put_in(arrived());
  got += client_.read();
  EXPECT_TRUE(was_halved) << "the socket took everything";
  EXPECT_EQ(got, sent);
  EXPECT_FALSE(server_->half_written());
}

TEST_F(TlsStreams, AReadGoesOnWhileAWriteIsUnfinished) {
  agree();
  const std::string big = pattern(3'000'000);
  std::string_view left = big;
  while (!server_->half_written()) left.remove_prefix(write({left})->bytes);
  client_.write("stop");
  const std::string out = client_.take_out();
  ASSERT_EQ(write_some(theirs_.get(), out).bytes, out.size());
  EXPECT_EQ(read(), "stop");
  std::string got;
  while (!left.empty()) {
    client_.put_in(arrived());
    got += client_.read();
    left.remove_prefix(write({left})->bytes);
  }
  client_.put_in(arrived());
  got += client_.read();
  EXPECT_EQ(got, big);
}

TEST_F(TlsStreams, AGoodbyeIsAnEndAndItsAbsenceIsACut) {
  agree();
  client_.write("last");
  SSL_shutdown(client_.ssl());
  exchange();
  EXPECT_EQ(read(), "last");
  EXPECT_EQ(read_fault(), IoFault::kEof);
  open();
  TlsBytes again(*settings_);
  std::swap(client_, again);
  agree();
  client_.write("last");
  exchange();
  theirs_.close();
  EXPECT_EQ(read(), "last") << "what came before the end is not lost";
  EXPECT_EQ(read_fault(), IoFault::kReset);
  EXPECT_EQ(read_fault(), IoFault::kReset) << "it stays at its end";
}

TEST_F(TlsStreams, SaysGoodbyeOnceAndNotInTheMiddleOfARecord) {
  agree();
  server_->say_goodbye();
  exchange();
  EXPECT_EQ(client_.read(), "");
  EXPECT_EQ(SSL_get_shutdown(client_.ssl()), SSL_RECEIVED_SHUTDOWN);
}

TEST_F(TlsStreams, GarbageInsteadOfARecordIsATlsFault) {
  agree();
  ASSERT_TRUE(write_some(theirs_.get(), std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x')).bytes > 0);
  EXPECT_EQ(read_fault(), IoFault::kTls);
}

TEST_F(TlsStreams, ADetachedStreamTouchesNoDescriptor) {
  agree();
  client_.write("for somebody else");
  exchange();
  server_->detach();
  EXPECT_EQ(read_fault(), IoFault::kReset);
  EXPECT_FALSE(write({"x"}).has_value());
  char first = 0;
  EXPECT_EQ(::recv(ours_.get(), &first, 1, MSG_PEEK), 1) << "the bytes still lie there";
}

TEST_F(TlsStreams, F26AFloodOfKeyUpdatesDoesNotKeepTheThread) {
  agree();
  constexpr int kUpdates = 8'000;
  for (int i = 0; i < kUpdates; ++i) {
    ASSERT_EQ(SSL_key_update(client_.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED), 1);
    ASSERT_TRUE(client_.handshake());
  }
  client_.write("at last");
  const std::string flood = client_.take_out();
  ASSERT_GT(flood.size(), 150'000U);
  ASSERT_EQ(write_some(theirs_.get(), flood).bytes, flood.size());
  char into[16];
  int turns = 0;
  for (;; ++turns) {
    const auto step = server_->read(into);
    ASSERT_TRUE(step.has_value());
    if (step->wait == Wait::kNothing) break;
    ASSERT_LT(turns, 100);
  }
  EXPECT_GE(turns, 2) << "others had their turn in between";
}

// What a peer that speaks no TLS, or the wrong one, is told apart by.
TlsFault fault_after(TlsStream& server, int socket, std::string_view bytes) {
  write_some(socket, bytes);
  const auto step = server.handshake();
  return step ? TlsFault::kTimeout : step.error().tls;
}

TEST_F(TlsStreams, F26WhatIsNoHelloIsTold) {
  const std::vector<std::pair<std::string, TlsFault>> cases = {
      {"GET / HTTP/1.1\r\n\r\n", TlsFault::kPlainHttp},
      {"OPTIONS * HTTP/1.1\r\n\r\n", TlsFault::kPlainHttp},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", TlsFault::kPlainHttp},
      {"get / HTTP/1.1\r\n\r\n", TlsFault::kNotTls},
      {std::string(64, '\0'), TlsFault::kNotTls},
      {"SSH-2.0-OpenSSH_9.2\r\n", TlsFault::kNotTls},
      {std::string("\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10", 11) + std::string(40, '\x05'),
       TlsFault::kOldVersion},
      {std::string("\x16\x09\x01\x00\x05", 5) + std::string(5, 'x'), TlsFault::kNotTls},
      {std::string("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", 10), TlsFault::kOther},
  };
  for (const auto& [bytes, fault] : cases) {
    open();
    EXPECT_EQ(fault_after(*server_, theirs_.get(), bytes), fault) << bytes.substr(0, 12);
  }
}

TEST_F(TlsStreams, F26AnOldHelloIsTold) {
  const SslContext old = client_context();
  SSL_CTX_set_cipher_list(old.get(), "DEFAULT:@SECLEVEL=0");
  SSL_CTX_set_min_proto_version(old.get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(old.get(), TLS1_1_VERSION);
  EXPECT_EQ(fault_after(*server_, theirs_.get(), client_hello(*old)), TlsFault::kOldVersion);
}

TEST_F(TlsStreams, ALostPeerIsTold) {
  theirs_.close();
  const auto step = server_->handshake();
  ASSERT_FALSE(step.has_value());
  EXPECT_EQ(step.error().tls, TlsFault::kClosed);
}

}  // namespace
}  // namespace sluice::http
