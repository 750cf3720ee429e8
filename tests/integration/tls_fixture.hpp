#pragma once
// A gateway whose apps' listener speaks TLS.

#include "integration/fixture.hpp"

namespace sluice::integration {

class TlsListenerTest : public GatewayTest {
 protected:
  static constexpr const char* kServer = "drain_grace: 0s, drain_timeout: 2s";
  static constexpr const char* kTls = ", tls: {certificate: server.pem, key: server.key";

  // `tls`: more keys of server.tls.
  Scenario secured(Scenario scenario = {}, const std::string& tls = "") {
    scenario.server += kTls + tls + "}";
    scenario.files = {{"server.pem", identity_.certificate}, {"server.key", identity_.key}, {"ca.pem", test_ca_pem()}};
    return scenario;
  }
  void start_tls(const Scenario& scenario = {}, const std::string& tls = "") { start(secured(scenario, tls)); }

  RawClient secure(SSL_CTX& settings, int receive_buffer = 0) {
    return RawClient(gateway().port(), {.receive_buffer = receive_buffer, .tls = &settings});
  }
  RawClient secure() { return secure(*settings_); }
  Response secure_ask(SSL_CTX& settings, const std::string& body = chat_body()) {
    RawClient raw = secure(settings);
    raw.send(post_request(kChat, body));
    return raw.read_response();
  }
  Response secure_ask(const std::string& body = chat_body()) { return secure_ask(*settings_, body); }

  // Failed handshakes with that reason; counted soon.
  ::testing::AssertionResult counts(const std::string& reason, int times = 1) {
    double seen = -1;
    const bool good = eventually([&] {
      seen = gateway().metrics().sum("sluice_tls_errors_total", {"reason=\"" + reason + "\""});
      return seen == times;
    });
    if (good) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << reason << ": " << seen << ", expected " << times;
  }
  double failures() { return gateway().metrics().sum("sluice_tls_errors_total"); }

  PemIdentity identity_ = make_identity(Certificate::kGood);
  SslContext settings_ = client_context();
};

}  // namespace sluice::integration
