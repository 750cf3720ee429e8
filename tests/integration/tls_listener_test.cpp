// The apps' listener behind TLS: what works in the clear works here, byte for byte.

#include <csignal>

#include "integration/tls_fixture.hpp"

namespace sluice::integration {
namespace {

using TlsListener = TlsListenerTest;

TEST_F(TlsListener, ServesEveryKindOfAnswerOnOneConnection) {
  upstream_.on(kChat).json(chat_answer());
  upstream_.on(kChat).stream(chat_stream({"a", "b"}));
  upstream_.on(kChat).json(chat_answer());
  start_tls();
  EXPECT_NE(gateway().output().find("listening on https://127.0.0.1:"), std::string::npos);
  RawClient raw = secure();
  raw.send(post_request(kChat, chat_body()));
  EXPECT_EQ(raw.read_response().body, chat_answer());
  raw.send(post_request(kChat, stream_body()));
  EXPECT_EQ(raw.read_response().body, sse_text(chat_stream({"a", "b"})));
  raw.send(post_request(kChat, chat_body(), "connection: close\r\n"));
  EXPECT_EQ(raw.read_response().body, chat_answer());
  EXPECT_EQ(raw.wait_end(), End::kFin);
  EXPECT_TRUE(raw.heard_goodbye());
  EXPECT_EQ(std::string_view(SSL_get_version(raw.ssl())), "TLSv1.3");
  EXPECT_EQ(failures(), 0);
}

TEST_F(TlsListener, SpeaksTls12WithForwardSecrecyOnly) {
  upstream_.on(kChat).json(chat_answer());
  start_tls();
  SSL_CTX_set_max_proto_version(settings_.get(), TLS1_2_VERSION);
  RawClient raw = secure();
  raw.send(post_request(kChat, chat_body()));
  EXPECT_EQ(raw.read_response().status, 200);
  EXPECT_EQ(std::string_view(SSL_get_version(raw.ssl())), "TLSv1.2");
  EXPECT_TRUE(std::string_view(SSL_get_cipher_name(raw.ssl())).starts_with("ECDHE-"));
  const SslContext weak = client_context();
  SSL_CTX_set_max_proto_version(weak.get(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(weak.get(), "AES128-SHA:AES256-SHA:ECDHE-ECDSA-AES128-SHA");
  EXPECT_EQ(secure_ask(*weak).status, 0);
  EXPECT_TRUE(counts("no_shared_cipher"));
}

TEST_F(TlsListener, LargeBodiesAndLongStreamsPassByteForByte) {
  std::vector<std::string> events = {role_chunk()};
  for (std::size_t i = 0; i < 1'000; ++i) events.push_back(text_chunk(std::to_string(i) + std::string(i % 97, '~')));
  events.insert(events.end(), {finish_chunk(), kDone});
  const std::string answer = chat_answer(std::string(3'000'000, 'z'));
  upstream_.on(kChat).stream(events);
  upstream_.on(kChat).json(answer);
  start_tls();
  const std::string padding = "\"x\":\"" + std::string(5'000'000, 'y') + "\"";
  EXPECT_EQ(data_of(secure_ask(stream_body("m", padding))), events);
  EXPECT_NE(upstream_.request(0).body.find(padding), std::string::npos);
  EXPECT_EQ(secure_ask(chat_body("m", padding)).body, answer);
  EXPECT_NE(upstream_.request(1).body.find(padding), std::string::npos);
}

TEST_F(TlsListener, PipelinedRequestsAreAnsweredInTurn) {
  upstream_.on(kChat).json(chat_answer("first"));
  upstream_.on(kChat).json(chat_answer("second"));
  start_tls();
  RawClient raw = secure();
  raw.send(post_request(kChat, chat_body()) + post_request(kChat, chat_body()) + get_request("/v1/models"));
  EXPECT_EQ(raw.read_response().body, chat_answer("first"));
  EXPECT_EQ(raw.read_response().body, chat_answer("second"));
  EXPECT_EQ(raw.read_response().status, 200);
}

TEST_F(TlsListener, ASlowReaderGetsEverything) {
  const std::vector<std::string> events = chat_stream(std::vector<std::string>(300, std::string(16 * 1024, 'x')));
  upstream_.on(kChat).stream(events);
  start_tls();
  RawClient raw = secure(*settings_, 16 * 1024);
  raw.send(post_request(kChat, stream_body()));
  ASSERT_TRUE(raw.read_head());
  ASSERT_TRUE(raw.next_event());
  ASSERT_TRUE(eventually([&] {  // until it has to wait for us
    const auto before = upstream_.connections()[0].bytes_out;
    wait_any({}, Clock::now() + 50ms);
    return before == upstream_.connections()[0].bytes_out;
  }));
  EXPECT_EQ(data_of(raw.finish(20s)), events);
}

TEST_F(TlsListener, F04AStalledReaderIsCut) {
  upstream_.on(kChat).stream({role_chunk()}).repeat_forever("data: " + text_chunk(std::string(16'384, 'x')) + "\n\n");
  start_tls({.limits = "write_timeout: 500ms"});
  RawClient raw = secure(*settings_, 4096);
  raw.send(post_request(kChat, stream_body()));
  EXPECT_EQ(only_trace_line(15s)["outcome"], "client_stalled");
  EXPECT_NE(upstream_.wait_for_disconnect(0).peer, End::kOpen);
  raw.wait_end();
  EXPECT_FALSE(raw.heard_goodbye()) << "a cut stream has no proper end";
}

TEST_F(TlsListener, F33ACutStreamHasNoProperEnd) {
  upstream_.on(kChat).stream({role_chunk(), text_chunk("a")}).then_reset();
  start_tls();
  RawClient raw = secure();
  raw.send(post_request(kChat, stream_body()));
  EXPECT_TRUE(ends_in_error(raw.read_response(), "upstream_stream_truncated"));
  EXPECT_FALSE(raw.heard_goodbye());
}

TEST_F(TlsListener, AnIdleConnectionEndsWithAGoodbye) {
  start_tls({.limits = "keepalive_timeout: 200ms"});
  RawClient raw = secure();
  raw.send(get_request("/v1/models"));
  EXPECT_EQ(raw.read_response().status, 200);
  EXPECT_EQ(raw.wait_end(3s), End::kFin);
  EXPECT_TRUE(raw.heard_goodbye());
  EXPECT_EQ(failures(), 0);
}

TEST_F(TlsListener, F72ADrainLetsStreamsFinishAndSaysGoodbye) {
  const auto gate = std::make_shared<Gate>();
  upstream_.on(kChat).stream({role_chunk()}).then_wait_for(gate).stream({finish_chunk(), kDone});
  start_tls();
  RawClient idle = secure();
  idle.send(get_request("/v1/models"));
  EXPECT_EQ(idle.read_response().status, 200);
  RawClient raw = secure();
  raw.send(post_request(kChat, stream_body()));
  ASSERT_TRUE(raw.read_head());
  gateway().signal(SIGTERM);
  EXPECT_EQ(idle.wait_end(), End::kFin);
  EXPECT_TRUE(idle.heard_goodbye());
  gate->open();
  EXPECT_TRUE(raw.finish().complete);
  EXPECT_EQ(raw.wait_end(), End::kFin);
  EXPECT_EQ(gateway().wait_exit(5s), 0);
}

TEST_F(TlsListener, SessionsAreResumedFromTickets) {
  start_tls();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const SslContext settings = client_context();
    SSL_CTX_set_max_proto_version(settings.get(), version);
    RawClient first = secure(*settings);
    first.send(get_request("/v1/models"));
    EXPECT_EQ(first.read_response().status, 200);
    RawClient second = secure(*settings);
    const std::unique_ptr<SSL_SESSION, void (*)(SSL_SESSION*)> session(SSL_get1_session(first.ssl()), SSL_SESSION_free);
    SSL_set_session(second.ssl(), session.get());
    second.send(get_request("/v1/models"));
    EXPECT_EQ(second.read_response().status, 200);
    EXPECT_EQ(SSL_session_reused(second.ssl()), 1);
  }
}

TEST_F(TlsListener, F24WhoIsTooManyIsToldSoThroughTls) {
  start_tls({.more = "overload: {max_connections: 1}\n"});
  RawClient inside = secure();
  inside.send(get_request("/v1/models"));
  EXPECT_EQ(inside.read_response().status, 200);
  const Response refused = secure_ask();
  EXPECT_TRUE(is_error(refused, 503, "server_is_overloaded"));
  EXPECT_FALSE(refused.header("retry-after").empty());
}

TEST_F(TlsListener, TheAdminListenerStaysPlain) {
  start_tls();
  EXPECT_EQ(gateway().admin("/healthz").status, 200);
  const auto expiry = gateway().metrics().sum("sluice_tls_certificate_expiry_timestamp_seconds");
  EXPECT_GT(expiry, static_cast<double>(std::time(nullptr)));
  EXPECT_LT(expiry, static_cast<double>(std::time(nullptr) + 2L * 24 * 60 * 60));
}

}  // namespace
}  // namespace sluice::integration
