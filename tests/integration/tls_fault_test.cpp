// F26: whoever speaks no TLS, the wrong one, half of one or a broken one gets an alert or a closed connection; nothing
// of it reaches an upstream, and nobody else notices.

#include <openssl/err.h>

#include <random>

#include "integration/tls_fixture.hpp"
#include "support/tls_bytes.hpp"

namespace sluice::integration {
namespace {

class TlsFaults : public TlsListenerTest {
 protected:
  // Sends the client's records in pieces of that size until both sides agree.
  bool shake_hands(RawClient& raw, TlsBytes& client, std::size_t piece) {
    const auto deadline = Clock::now() + 5s;
    while (Clock::now() < deadline) {
      const bool ready = client.handshake();
      send_in_pieces(raw, client.take_out(), piece);
      if (ready) return true;
      receive(raw, client);
    }
    return false;
  }
  void send_in_pieces(RawClient& raw, const std::string& bytes, std::size_t piece) {
    for (std::size_t at = 0; at < bytes.size(); at += piece) raw.send(bytes.substr(at, piece));
  }
  void receive(RawClient& raw, TlsBytes& client) {
    char bytes[4096];
    wait_any({{raw.fd(), 1}}, Clock::now() + 100ms);
    client.put_in({bytes, read_some(raw.fd(), bytes, sizeof bytes).bytes});
  }
  bool still_serves() { return secure_ask().status == 200; }
};

// The reason of the alert that a client's handshake died of.
int alert_of(RawClient& raw) {
  ERR_clear_error();
  if (raw.send(get_request("/v1/models"))) raw.read_response(5s);
  return ERR_GET_REASON(ERR_peek_last_error());
}

TEST_F(TlsFaults, F26PlainHttpOnATlsPortIsToldSo) {
  upstream_.on(kChat).json(chat_answer());
  start_tls();
  const std::vector<std::string> requests = {post_request(kChat, chat_body()),
                                             get_request("/v1/models"),
                                             "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n",
                                             "DELETE /v1/models HTTP/1.1\r\nhost: a\r\n\r\n",
                                             "CONNECT example.com:443 HTTP/1.1\r\nhost: a\r\n\r\n",
                                             "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"};
  for (const std::string& request : requests) {
    RawClient raw = client();
    raw.send(request);
    const Response response = raw.read_response();
    EXPECT_TRUE(is_error(response, 400, "malformed_request")) << request;
    EXPECT_NE(response.body.find("https://"), std::string::npos) << response.body;
    EXPECT_EQ(response.header("connection"), "close");
    EXPECT_EQ(raw.wait_end(), End::kFin);
  }
  EXPECT_TRUE(counts("plain_http", static_cast<int>(requests.size())));
  EXPECT_EQ(upstream_.bytes_in(), 0U);
  EXPECT_TRUE(gateway().trace().empty());
  EXPECT_TRUE(still_serves());
}

TEST_F(TlsFaults, F26OldVersionsGetAnAlert) {
  upstream_.on(kChat).json(chat_answer());
  start_tls();
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    const SslContext old = client_context();
    SSL_CTX_set_cipher_list(old.get(), "DEFAULT:@SECLEVEL=0");
    SSL_CTX_set_min_proto_version(old.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(old.get(), version);
    RawClient raw = secure(*old);
    EXPECT_EQ(alert_of(raw), SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
  }
  EXPECT_TRUE(counts("old_version", 2));
  EXPECT_EQ(upstream_.bytes_in(), 0U);
  EXPECT_TRUE(still_serves());
}

TEST_F(TlsFaults, F26NoNameAndAnyNameAreServed) {
  upstream_.on(kChat).json(chat_answer());
  start_tls();
  EXPECT_EQ(secure_ask().status, 200) << "no name is asked for";
  for (const char* name : {"localhost", "elsewhere.example", "xn--bcher-kva.example"}) {
    RawClient raw = secure();
    SSL_set_tlsext_host_name(raw.ssl(), name);
    raw.send(post_request(kChat, chat_body()));
    EXPECT_EQ(raw.read_response().status, 200) << name;
  }
}

TEST_F(TlsFaults, F26RenegotiationIsRefused) {
  start_tls();
  SSL_CTX_set_max_proto_version(settings_.get(), TLS1_2_VERSION);
  RawClient raw = secure();
  raw.send(get_request("/v1/models"));
  EXPECT_EQ(raw.read_response().status, 200);
  ASSERT_EQ(SSL_renegotiate(raw.ssl()), 1);
  EXPECT_EQ(alert_of(raw), SSL_R_NO_RENEGOTIATION);
  RawClient other = secure();
  other.send(get_request("/v1/models"));
  EXPECT_EQ(other.read_response().status, 200);
}

TEST_F(TlsFaults, F26OnlyHttp11IsAgreedOn) {
  start_tls();
  const auto offer = [&](std::string_view protocols) {
    RawClient raw = secure();
    SSL_set_alpn_protos(raw.ssl(), reinterpret_cast<const unsigned char*>(protocols.data()),
                        static_cast<unsigned>(protocols.size()));
    return raw;
  };
  const auto chosen = [](const RawClient& raw) {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(raw.ssl(), &name, &size);
    return std::string(reinterpret_cast<const char*>(name), size);
  };
  RawClient both = offer("\x02h2\x08http/1.1");
  both.send(get_request("/v1/models"));
  EXPECT_EQ(both.read_response().status, 200);
  EXPECT_EQ(chosen(both), "http/1.1");
  RawClient others = offer(
      "\x02h2\x03"
      "foo");
  EXPECT_EQ(alert_of(others), SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL);
  EXPECT_TRUE(counts("no_shared_protocol"));
}

TEST_F(TlsFaults, AClientThatDoesNotTrustTheCertificateIsCounted) {
  start_tls();
  const SslContext suspicious = client_context();
  SSL_CTX_set_cert_store(suspicious.get(), X509_STORE_new());
  EXPECT_EQ(secure_ask(*suspicious).status, 0);
  EXPECT_TRUE(counts("client_alert"));
}

TEST_F(TlsFaults, F26ACutBetweenRequestsIsNoError) {
  upstream_.on(kChat).json(chat_answer());
  start_tls();
  RawClient raw = secure();
  raw.send(post_request(kChat, chat_body()));
  EXPECT_EQ(raw.read_response().status, 200);
  raw.cut();
  EXPECT_EQ(only_trace_line()["outcome"], "ok");
  ASSERT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_client_connections") == 0; }));
  EXPECT_EQ(failures(), 0);
}

TEST_F(TlsFaults, F26ACutInsideARequestEndsIt) {
  start_tls();
  const std::string request = post_request(kChat, chat_body());
  RawClient raw = secure();
  raw.send(request.substr(0, request.size() - 5));
  ASSERT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_requests_in_flight") == 1; }));
  raw.cut();
  EXPECT_EQ(only_trace_line()["outcome"], "client_abort");
  EXPECT_EQ(upstream_.bytes_in(), 0U);
}

TEST_F(TlsFaults, F26AHelloByteByByteIsAHello) {
  upstream_.on(kChat).json(chat_answer());
  start_tls();
  RawClient raw = client();
  TlsBytes bytes(*settings_);
  ASSERT_TRUE(shake_hands(raw, bytes, 1));
  bytes.write(post_request(kChat, chat_body()));
  send_in_pieces(raw, bytes.take_out(), 1);
  std::string answer;
  ASSERT_TRUE(eventually([&] {
    receive(raw, bytes);
    answer += bytes.read();
    return answer.ends_with(chat_answer());
  }));
}

TEST_F(TlsFaults, F02ATrickledHelloDiesInTime) {
  upstream_.on(kChat).json(chat_answer());
  start_tls({.limits = "head_timeout: 400ms"});
  const std::string hello = client_hello(*settings_);
  const auto before = Clock::now();
  RawClient silent = client();
  RawClient stalled = client();
  stalled.send(hello.substr(0, hello.size() - 1));
  RawClient trickling = client();
  std::size_t sent = 0;
  while (sent < hello.size() - 1 && trickling.stays_silent(20ms)) trickling.send(hello.substr(sent++, 1));
  for (RawClient* raw : {&silent, &stalled, &trickling}) EXPECT_NE(raw->wait_end(3s), End::kOpen);
  EXPECT_GE(Clock::now() - before, 400ms);
  EXPECT_LT(Clock::now() - before, 3s);
  EXPECT_TRUE(counts("timeout", 3));
  EXPECT_TRUE(still_serves());
}

TEST_F(TlsFaults, F26LeavingInTheMiddleOfAHandshakeIsCountedAsClosed) {
  start_tls();
  const std::string hello = client_hello(*settings_);
  for (const std::size_t size : {std::size_t{0}, std::size_t{3}, hello.size() / 2, hello.size()}) {
    RawClient raw = client();
    raw.send(hello.substr(0, size));
    if (size == hello.size()) ASSERT_FALSE(raw.stays_silent(5s));
    size % 2 == 0 ? raw.close() : raw.reset();
  }
  EXPECT_TRUE(counts("closed", 4));
}

// Bytes flipped, cut, doubled or drawn at random: an alert, a close or a wait for more, and no descriptor left behind.
TEST_F(TlsFaults, F26BrokenHellosEndCleanly) {
  upstream_.on(kChat).json(chat_answer());
  start_tls();
  ASSERT_TRUE(still_serves());
  ASSERT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_client_connections") == 0; }));
  const std::size_t before = gateway().open_fds();
  SslContext older = client_context();
  SSL_CTX_set_max_proto_version(older.get(), TLS1_2_VERSION);
  const std::string hellos[] = {client_hello(*settings_), client_hello(*older)};
  std::mt19937 random(26);
  const auto any = [&](std::size_t below) { return random() % below; };
  for (int i = 0; i < 400; ++i) {
    std::string bytes = hellos[i % 2];
    for (std::size_t flips = any(4) + 1; flips > 0 && i % 4 != 3; --flips) {
      bytes[any(bytes.size())] = static_cast<char>(any(256));
    }
    if (i % 5 == 0) bytes.resize(any(bytes.size()) + 1);
    if (i % 7 == 0) bytes += bytes;
    if (i % 4 == 3) std::ranges::generate(bytes, [&] { return static_cast<char>(any(256)); });
    RawClient raw = client();
    raw.send(bytes);
    raw.shutdown_write();
    ASSERT_NE(raw.wait_end(5s), End::kOpen) << "hello " << i << " left the connection open";
  }
  EXPECT_TRUE(eventually([&] { return gateway().open_fds() <= before; })) << gateway().open_fds() << " > " << before;
  EXPECT_EQ(failures(), 400);
  EXPECT_EQ(gateway().metrics().sum("sluice_requests_in_flight"), 0);
  EXPECT_TRUE(still_serves());
  EXPECT_EQ(upstream_.requests().size(), 2U);
}

}  // namespace
}  // namespace sluice::integration
