#include "integration/fixture.hpp"
#include "support/paths.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>

namespace sluice::integration {
namespace {

std::string line(const std::string& name, const std::string& inside) {
  return inside.empty() ? std::string() : name + ": {" + inside + "}\n";
}

// Credentials of every kind, so that every test can show that none of them leaks; `spare` is never asked.
std::string marked_header(const Scenario& scenario) {
  return scenario.provider.find("headers:") == std::string::npos ? ", headers: {x-marked: \"${UP_HEADER}\"}" : "";
}
constexpr const char* kSpare =
    "  spare: {base_url: \"http://127.0.0.1:9/v1?key=${SPARE_QUERY}\", api_keys: [\"${SPARE_KEY}\"]}\n";
std::string log_lines(const Scenario& scenario) {
  return scenario.more.find("log:") == std::string::npos ? "log: {level: debug}\n" : "";
}

// What an upstream is scripted to do once is not asked for twice, and however often it fails it is asked again.
std::string routing_lines(const Scenario& scenario) {
  constexpr const char* kOnce = "routing: {retries: 0, breaker: {consecutive_failures: 0, error_rate: 0%}}\n";
  return scenario.more.find("routing:") == std::string::npos ? kOnce : "";
}

int factor(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? 1 : std::max(1, std::atoi(text));
}

}  // namespace

milliseconds abort_bound() { return milliseconds(50) * factor("SLUICE_TIME_SLACK"); }

int scaled(int count) { return count * factor("SLUICE_SCALE"); }

std::string config_text(const Scenario& scenario, const std::string& upstream_url) {
  const std::string url = scenario.base_url.empty() ? upstream_url : scenario.base_url;
  return "server: {listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\", workers: " + std::to_string(scenario.workers) +
         ", " + scenario.server + "}\n" + line("trace", scenario.trace) + line("timeouts", scenario.timeouts) +
         line("limits", scenario.limits) + "providers:\n  up: {dialect: openai, base_url: \"" + url +
         "\", api_keys: [\"${UP_KEY}\"]" + marked_header(scenario) +
         (scenario.provider.empty() ? "" : ", " + scenario.provider) + "}\n" + kSpare + scenario.providers +
         line("models", scenario.models) + log_lines(scenario) + routing_lines(scenario) + scenario.more;
}

std::string at_port(std::string config, std::uint16_t port) {
  constexpr std::string_view kAny = "listen: \"127.0.0.1:0\"";
  return config.replace(config.find(kAny), kAny.size(), "listen: \"127.0.0.1:" + std::to_string(port) + "\"");
}

Gateway& GatewayTest::start(const Scenario& scenario) {
  gateway_.emplace(GatewayOptions{.binary = support::sluice_binary(),
                                  .config = config_text(scenario, upstream_.url()),
                                  .environment = scenario.environment,
                                  .files = scenario.files});
  if (!gateway_->wait_ready()) throw std::runtime_error("the gateway did not start:\n" + gateway_->output());
  return *gateway_;
}

void GatewayTest::stop() {
  std::vector<Sink> sinks = gateway_->sinks();
  gateway_->signal(SIGTERM);
  EXPECT_EQ(gateway_->wait_exit(15s), 0) << gateway_->output();
  EXPECT_EQ(gateway_->sanitizer_report(), "");
  std::ranges::move(gateway_->sinks(), std::back_inserter(sinks));  // with its last words
  expect_no_leaks(sinks);
  gateway_.reset();
}

void GatewayTest::expect_no_leaks(const std::vector<Sink>& sinks) const {
  for (const std::string& leak : leaks(sinks)) ADD_FAILURE() << "leaked into " << leak;
  EXPECT_EQ(SecretWatch::seen(), secrets_seen_) << "a client received a credential";
  for (const ObservedRequest& request : upstream_.requests()) {
    EXPECT_EQ(request.head_bytes.find(kClientMark), std::string::npos) << "a client's credential went on";
  }
}

void GatewayTest::TearDown() {
  if (!gateway_) return;
  double counted = -1;
  double accounted = -2;
  const bool balanced = gateway_->process().wait_exit(0ms).has_value() || eventually([&] {
                          const Metrics metrics = gateway_->metrics();
                          counted = metrics.sum("sluice_requests_total");
                          accounted = static_cast<double>(lines_in_trace()) +
                                      metrics.sum("sluice_trace_dropped_total") +
                                      metrics.sum("sluice_trace_sampled_out_total");
                          return counted == accounted && metrics.sum("sluice_requests_in_flight") == 0;
                        });
  EXPECT_TRUE(balanced) << counted << " requests counted, " << accounted << " traced, dropped or sampled out";
  stop();
}

Response GatewayTest::ask(const std::string& body, const std::string& head, milliseconds timeout) {
  return fetch(gateway_->port(), post_request(kChat, body, head), timeout);
}

Response GatewayTest::get(const std::string& target, const std::string& head) {
  return fetch(gateway_->port(), get_request(target, head));
}

json GatewayTest::only_trace_line(milliseconds timeout) {
  const auto lines = gateway_->trace(1, timeout);
  EXPECT_EQ(lines.size(), 1U);
  return lines.empty() ? json::object() : lines.front();
}

::testing::AssertionResult is_error(const Response& response, int status, const std::string& code) {
  const auto failure = [&](const std::string& why) {
    return ::testing::AssertionFailure() << why << "; status " << response.status << ", body " << response.body;
  };
  if (response.status != status) return failure("expected status " + std::to_string(status));
  if (!response.complete) return failure("the answer is cut");
  if (!response.header("content-type").starts_with("application/json")) return failure("not JSON");
  const json body = json::parse(response.body, nullptr, false);
  if (!body.is_object() || !body.contains("error")) return failure("no error object");
  const json& error = body["error"];
  for (const char* member : {"message", "type", "param", "code"}) {
    if (!error.contains(member)) return failure(std::string("no member ") + member);
  }
  if (!error["message"].is_string() || error["message"] == "") return failure("no message");
  if (error["code"] != code) return failure("expected code " + code);
  if (response.header("x-request-id").empty()) return failure("no x-request-id");
  const std::string retry = response.header("x-should-retry");
  if (retry != "true" && retry != "false") return failure("no x-should-retry");
  return ::testing::AssertionSuccess();
}

::testing::AssertionResult ends_in_error(const Response& response, const std::string& code) {
  const auto failure = [&](const std::string& why) {
    return ::testing::AssertionFailure() << why << "; status " << response.status << ", end " << to_string(response.end)
                                         << ", body " << response.body.substr(0, 4000);
  };
  if (response.status != 200) return failure("the stream had not begun");
  if (response.body.find("[DONE]") != std::string::npos) return failure("an invented [DONE]");
  if (response.complete) return failure("an invented end of the body");
  if (response.end == End::kOpen) return failure("the connection is still open");
  if (response.events.empty()) return failure("no event at all");
  const json last = json::parse(response.events.back().data(), nullptr, false);
  if (!last.is_object() || !last.contains("error")) return failure("the last event is no error");
  if (last["error"].value("code", json()) != code) return failure("expected code " + code);
  if (last.contains("choices")) return failure("an error event with choices");
  return ::testing::AssertionSuccess();
}

std::vector<std::string> data_of(const Response& response) {
  std::vector<std::string> result;
  for (const SseEvent& event : response.events) {
    if (event.text.find("data:") != std::string::npos) result.push_back(event.data());
  }
  return result;
}

std::string sse_text(const std::vector<std::string>& payloads) {
  std::string text;
  for (const auto& payload : payloads) text += "data: " + payload + "\n\n";
  return text;
}

}  // namespace sluice::integration
