#pragma once
// One gateway in front of one scripted upstream. After every test: the books balance (requests counted == trace lines
// + dropped and sampled ones), the gateway exits with 0 when told to, no sanitizer has complained, and none of the
// marks in keys, prompts and answers (support/canary.hpp) is anywhere but where it belongs.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "support/canary.hpp"
#include "support/gateway.hpp"
#include "support/openai_answers.hpp"
#include "support/raw_client.hpp"
#include "support/scripted_upstream.hpp"

namespace sluice::integration {

using namespace sluice::support;
using nlohmann::json;

// How late an upstream may see that a client has left. SLUICE_TIME_SLACK multiplies it on slow machines.
milliseconds abort_bound();

// How often something is done where more is better: SLUICE_SCALE multiplies it.
int scaled(int count);

// The pieces of a configuration; each is the inside of a YAML flow mapping.
struct Scenario {
  unsigned workers = 1;
  std::string server = "drain_grace: 0s, drain_timeout: 2s";
  std::string timeouts = "connect: 1s, first_byte: 2s, first_token: 2s, idle: 1s, total: 20s";
  std::string limits = {};
  std::string base_url = {};   // of provider `up`; empty: the fixture's upstream
  std::string provider = {};   // more keys of provider `up`
  std::string providers = {};  // more of them, whole lines: "  name: {…}\n"
  std::string models = R"(m: up/upstream-model, "any-*": "up/*")";
  std::string trace = "path: {DIR}/trace.jsonl";
  std::string more = {};  // whole lines
  std::map<std::string, std::string> files = {};
  std::map<std::string, std::string> environment = {};
};
std::string config_text(const Scenario& scenario, const std::string& upstream_url);
// The same for a listener on that port, of a gateway that takes another's place.
std::string at_port(std::string config, std::uint16_t port);

class GatewayTest : public ::testing::Test {
 protected:
  static constexpr const char* kChat = "/v1/chat/completions";

  void TearDown() override;
  Gateway& start(const Scenario& scenario = {});
  Gateway& gateway() { return *gateway_; }
  // SIGTERM, exit code 0, no sanitizer report. Called by TearDown unless it was before.
  void stop();

  RawClient client(int receive_buffer = 0) { return RawClient(gateway_->port(), {receive_buffer}); }
  Response ask(const std::string& body, const std::string& head = "", milliseconds timeout = 10s);
  Response get(const std::string& target, const std::string& head = "");
  // The one trace line that there must be.
  json only_trace_line(milliseconds timeout = 5s);

  explicit GatewayTest(UpstreamOptions upstream = {}) : upstream_(std::move(upstream)) {}
  // Trace lines that can be read, for the balance of the books.
  virtual std::size_t lines_in_trace() { return gateway_->trace().size(); }

  ScriptedUpstream upstream_;
  std::optional<Gateway> gateway_;

 private:
  void expect_no_leaks(const std::vector<Sink>& sinks) const;
  const std::size_t secrets_seen_ = SecretWatch::seen();
};

// The answer is that error, in the OpenAI shape with all four members and the headers every error has.
::testing::AssertionResult is_error(const Response& response, int status, const std::string& code);
// The stream ends in one error event with that code, without [DONE], without the last chunk, connection closed.
::testing::AssertionResult ends_in_error(const Response& response, const std::string& code);

std::vector<std::string> data_of(const Response& response);  // of its events, in order
std::string sse_text(const std::vector<std::string>& payloads);

}  // namespace sluice::integration
