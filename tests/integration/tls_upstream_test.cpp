// Upstreams behind TLS: good certificates work, bad ones get not one byte of the request.

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

struct BadTls {
  const char* name;
  Certificate certificate;
  bool only_tls_1_1 = false;
};

class TlsUpstream : public GatewayTest, public ::testing::WithParamInterface<BadTls> {
 protected:
  void start_with(const ScriptedUpstream& secure, const std::string& more = "") {
    start({.base_url = secure.url(),
           .provider = "tls: {ca_file: \"{DIR}/ca.pem\"}" + more,
           .files = {{"ca.pem", test_ca_pem()}}});
  }
};

TEST_F(TlsUpstream, AGoodCertificateOfTheGivenAuthorityWorks) {
  ScriptedUpstream secure(UpstreamOptions{.tls = Certificate::kGood});
  secure.on(kChat).json(chat_answer());
  secure.on(kChat).json(chat_answer());
  secure.on(kChat).stream(chat_stream({"a", "b"})).byte_by_byte();
  secure.on(kChat).stream({role_chunk()}).then_fin();
  start_with(secure);
  EXPECT_EQ(ask(chat_body()).body, chat_answer());
  EXPECT_EQ(ask(chat_body()).body, chat_answer());
  EXPECT_EQ(secure.connections().size(), 1U) << "the connection is reused";
  EXPECT_EQ(ask(stream_body()).body, sse_text(chat_stream({"a", "b"})));
  EXPECT_TRUE(ends_in_error(ask(stream_body()), "upstream_stream_truncated"));
}

TEST_F(TlsUpstream, AnAbortClosesTheConnection) {
  ScriptedUpstream secure(UpstreamOptions{.tls = Certificate::kGood});
  secure.on(kChat).stream({role_chunk()}).stall();
  start_with(secure);
  RawClient raw = client();
  raw.send(post_request(kChat, stream_body()));
  ASSERT_TRUE(raw.read_head());
  const auto left = Clock::now();
  raw.close();
  const ObservedConnection seen = secure.wait_for_disconnect(0);
  ASSERT_NE(seen.peer, End::kOpen);
  EXPECT_LE(seen.closed_at - left, abort_bound());
}

TEST_P(TlsUpstream, F29ABadOneGetsNoByteOfTheRequest) {
  const BadTls& bad = GetParam();
  ScriptedUpstream secure(UpstreamOptions{.tls = bad.certificate, .only_tls_1_1 = bad.only_tls_1_1});
  secure.on(kChat).json(chat_answer());
  start_with(secure);
  const Response response = ask(chat_body());
  EXPECT_TRUE(is_error(response, 502, "upstream_tls_error"));
  EXPECT_EQ(response.header("x-should-retry"), "false");
  EXPECT_TRUE(secure.requests().empty());
  EXPECT_EQ(secure.bytes_in(), 0U);
  EXPECT_EQ(only_trace_line()["outcome"], "upstream_error");
}

TEST_F(TlsUpstream, F29PlainTextOnATlsPortIsATlsError) {
  ScriptedUpstream plain;
  start({.base_url = "https://127.0.0.1:" + std::to_string(plain.port()) + "/v1"});
  RawClient raw = client();
  raw.send(post_request(kChat, chat_body()));
  const Response response = raw.read_response();
  EXPECT_TRUE(response.status == 502 || response.status == 504) << response.body;
  EXPECT_TRUE(plain.requests().empty());
}

INSTANTIATE_TEST_SUITE_P(With, TlsUpstream,
                         ::testing::Values(BadTls{"WrongName", Certificate::kWrongName},
                                           BadTls{"Expired", Certificate::kExpired},
                                           BadTls{"SelfSigned", Certificate::kSelfSigned},
                                           BadTls{"UnknownAuthority", Certificate::kUnknownCa},
                                           BadTls{"OldProtocol", Certificate::kGood, true}),
                         [](const auto& bad) { return std::string(bad.param.name); });

}  // namespace
}  // namespace sluice::integration
