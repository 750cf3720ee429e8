// Whose certificates count: the clients' that are asked for, and the listener's own over its life.

#include <csignal>

#include "integration/tls_fixture.hpp"
#include "support/paths.hpp"

namespace sluice::integration {
namespace {

class TlsClients : public TlsListenerTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(TlsClients, F26AreServedOnlyWithTheCertificateThatIsAskedFor) {
  const std::string auth = GetParam();
  start_tls({}, auth == "none" ? "" : ", client_ca: ca.pem, client_auth: " + auth);
  upstream_.on(kChat).json(chat_answer());
  const std::string bad = auth == "none" ? "" : "bad_client_certificate";
  const std::vector<std::pair<std::optional<Certificate>, std::string>> cases = {
      {std::nullopt, auth == "required" ? "no_client_certificate" : ""},
      {Certificate::kGood, ""},
      {Certificate::kExpired, bad},
      {Certificate::kUnknownCa, bad},
      {Certificate::kSelfSigned, bad}};
  int refused = 0;
  int bad_ones = 0;
  for (const auto& [shows, reason] : cases) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      const SslContext settings = client_context(shows);
      SSL_CTX_set_max_proto_version(settings.get(), version);
      EXPECT_EQ(secure_ask(*settings).status, reason.empty() ? 200 : 0)
          << static_cast<int>(shows.value_or(Certificate::kGood));
      refused += reason.empty() ? 0 : 1;
      bad_ones += reason == "bad_client_certificate" ? 1 : 0;
    }
  }
  EXPECT_TRUE(counts("bad_client_certificate", bad_ones));
  EXPECT_TRUE(counts("no_client_certificate", refused - bad_ones));
  EXPECT_EQ(static_cast<int>(upstream_.requests().size()), 2 * static_cast<int>(cases.size()) - refused);
}

INSTANTIATE_TEST_SUITE_P(Asked, TlsClients, ::testing::Values("none", "optional", "required"),
                         [](const auto& auth) { return std::string(auth.param); });

class TlsReload : public TlsListenerTest {
 protected:
  double reloads(const std::string& result) {
    return gateway().metrics().sum("sluice_config_reloads_total", {"result=\"" + result + "\""});
  }
  void reload(const std::string& result = "ok") {
    const double before = reloads(result);
    gateway().signal(SIGHUP);
    ASSERT_TRUE(eventually([&] { return reloads(result) > before; })) << gateway().output();
  }
  void install(const PemIdentity& identity) {
    gateway().directory().write("server.pem", identity.certificate);
    gateway().directory().write("server.key", identity.key);
  }
  // The certificate that a new connection is shown, which then serves a request.
  std::string shown() {
    RawClient raw = secure();
    raw.send(get_request("/v1/models"));
    EXPECT_EQ(raw.read_response().status, 200);
    const std::unique_ptr<X509, void (*)(X509*)> certificate(SSL_get1_peer_certificate(raw.ssl()), X509_free);
    return certificate ? std::to_string(ASN1_INTEGER_get(X509_get0_serialNumber(certificate.get()))) : "";
  }
};

TEST_F(TlsReload, NewConnectionsGetTheNewCertificateAndOldOnesGoOn) {
  const auto gate = std::make_shared<Gate>();
  upstream_.on(kChat).stream({role_chunk()}).then_wait_for(gate).stream({finish_chunk(), kDone});
  start_tls();
  const std::string first = shown();
  RawClient streaming = secure();
  streaming.send(post_request(kChat, stream_body()));
  ASSERT_TRUE(streaming.read_head());
  install(make_identity(Certificate::kGood));
  reload();
  EXPECT_NE(shown(), first);
  gate->open();
  EXPECT_TRUE(streaming.finish().complete);
  streaming.send(get_request("/v1/models"));
  EXPECT_EQ(streaming.read_response().status, 200) << "the connection lives on";
}

TEST_F(TlsReload, ABrokenFileIsRefusedAndTheOldCertificateServes) {
  start_tls();
  const std::string first = shown();
  const PemIdentity other = make_identity(Certificate::kGood);
  const std::vector<std::pair<PemIdentity, std::string>> broken = {
      {{"", identity_.key}, "server.tls.certificate: holds no usable certificate"},
      {{"not a certificate\n", identity_.key}, "server.tls.certificate: holds no usable certificate"},
      {{identity_.certificate, ""}, "server.tls.key: holds no private key"},
      {{identity_.certificate, other.key}, "server.tls.key: does not belong to the certificate"}};
  for (const auto& [identity, told] : broken) {
    install(identity);
    reload("failed");
    EXPECT_TRUE(gateway().wait_output(told)) << gateway().output();
    EXPECT_EQ(shown(), first);
  }
  install(identity_);
  reload();
  EXPECT_EQ(shown(), first);
}

TEST_F(TlsReload, TurnsTlsOnAndOffForNewConnections) {
  upstream_.on(kChat).json(chat_answer());
  start();
  RawClient plain = client();
  plain.send(get_request("/v1/models"));
  EXPECT_EQ(plain.read_response().status, 200);
  install(identity_);
  gateway().replace_config(config_text(secured(), upstream_.url()));
  reload();
  EXPECT_TRUE(gateway().wait_output("server.tls: new connections speak TLS from now on"));
  EXPECT_EQ(secure_ask().status, 200);
  EXPECT_EQ(ask(chat_body()).status, 400);
  plain.send(get_request("/v1/models"));
  EXPECT_EQ(plain.read_response().status, 200) << "an open connection goes on as it is";
  gateway().replace_config(config_text({}, upstream_.url()));
  reload();
  EXPECT_TRUE(gateway().wait_output("server.tls: new connections do without TLS from now on"));
  EXPECT_EQ(ask(chat_body()).status, 200);
}

// `sluice check` on files in a directory of their own.
class TlsCheck : public ::testing::Test {
 protected:
  CheckResult check(const std::string& tls) {
    const std::string text =
        "server:\n  tls: " + tls + "\nproviders: {p: {base_url: \"http://h/v1\"}}\nmodels: {m: p/x}\n";
    directory_.write("gateway.yaml", text);
    Process process({sluice_binary(), "check", directory_.path("gateway.yaml")}, {});
    const auto code = process.wait_exit(10s).value_or(-1);
    return {code, process.output()};
  }
  void install(const PemIdentity& identity) {
    directory_.write("server.pem", identity.certificate);
    directory_.write("server.key", identity.key);
    directory_.write("ca.pem", test_ca_pem());
  }
  TempDir directory_;
};

constexpr const char* kPair = "certificate: server.pem, key: server.key";

TEST_F(TlsCheck, AGoodPairIsGood) {
  install(make_identity(Certificate::kGood));
  EXPECT_EQ(check("{" + std::string(kPair) + ", client_ca: ca.pem, client_auth: required}").exit_code, 0);
}

TEST_F(TlsCheck, WhatIsWrongIsToldAtItsPlace) {
  const PemIdentity good = make_identity(Certificate::kGood);
  install(good);
  directory_.write("other.key", make_identity(Certificate::kGood).key);
  directory_.write("empty.pem", "");
  directory_.write(
      "locked.key",
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgMSZwkzNRfXAICCAAw\n"
      "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEEhKPvMz1d2i/K5ZmmVqzyoEgZBx\n"
      "-----END ENCRYPTED PRIVATE KEY-----\n");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{certificate: none.pem, key: server.key}", ":2:22: server.tls.certificate: \"none.pem\" is not a file"},
      {"{certificate: empty.pem, key: server.key}", ":2:22: server.tls.certificate: holds no usable certificate"},
      {"{certificate: server.key, key: server.key}", ":2:22: server.tls.certificate: holds no usable certificate"},
      {"{certificate: server.pem, key: empty.pem}", ":2:39: server.tls.key: holds no private key"},
      {"{certificate: server.pem, key: other.key}", ":2:39: server.tls.key: does not belong to the certificate"},
      {"{certificate: server.pem}", ":2:3: server.tls: needs both certificate and key"},
      {"{" + std::string(kPair) + ", client_ca: empty.pem, client_auth: optional}",
       ":2:62: server.tls.client_ca: holds no certificate"},
      {"{" + std::string(kPair) + ", client_ca: ca.pem}", ":2:3: server.tls: client_ca has no meaning"},
      {"{" + std::string(kPair) + ", client_auth: required}", ":2:3: server.tls: client_auth needs client_ca"}};
  for (const auto& [tls, told] : cases) {
    const CheckResult result = check(tls);
    EXPECT_EQ(result.exit_code, 2) << tls;
    EXPECT_NE(result.output.find("gateway.yaml" + told), std::string::npos) << result.output;
  }
}

TEST_F(TlsCheck, AnExpiredCertificateIsNoted) {
  install(make_identity(Certificate::kExpired));
  const CheckResult result = check("{" + std::string(kPair) + "}");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_NE(result.output.find("note: 2:22: server.tls.certificate: expired 2"), std::string::npos) << result.output;
}

}  // namespace
}  // namespace sluice::integration
