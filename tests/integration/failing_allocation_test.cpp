// F74: an allocation that fails, at any place, costs the request it belongs to and nothing else.

#include <atomic>
#include <iostream>
#include <random>
#include <sstream>
#include <thread>

#include "hooks/allocation_plan.hpp"
#include "hooks/shared.hpp"
#include "integration/tls_fixture.hpp"
#include "support/client_keys.hpp"
#include "support/paths.hpp"

namespace sluice::integration {
namespace {

using hooks::AllocationPlan;

// Says when allocations fail.
class Plan {
 public:
  std::string path() const { return shared_.path(); }
  // `before` more allocations of a worker succeed, then `length` fail.
  void arm(std::int64_t before, std::int64_t length) {
    shared_->failed = 0;
    shared_->length = length;
    shared_->before = before;
  }
  // Whether one has failed meanwhile.
  bool disarm() {
    shared_->before = AllocationPlan::kOff;
    return shared_->failed > 0;
  }
  // Of the first that failed, for addr2line.
  std::string stack() const {
    std::ostringstream text;
    for (std::size_t i = 0; i < shared_->frames; ++i) text << std::hex << " 0x" << shared_->frame.at(i);
    return text.str();
  }

 private:
  hooks::Shared<AllocationPlan> shared_;
};

class FailingAllocations : public TlsListenerTest {
 protected:
  // Makes one request; allocations fail from the moment it calls `arm` to the end of its answer.
  using Ask = std::function<Response(const std::function<void()>& arm)>;
  // What is wrong with an answer; empty: nothing.
  using Fault = std::function<std::string(const Response&)>;

  void SetUp() override {
    upstream_.on_model("any-whole").json(chat_answer());
    upstream_.on_model("any-stream").stream(chat_stream_with_usage({"a", "b", "c"})).event_gap(1ms);
    upstream_.on_model("any-error").status(503).header("retry-after", "7").json(error_answer("slow down", "x", "y"));
  }
  void start_failing(const Scenario& scenario = {}) {
    gateway_.emplace(GatewayOptions{.binary = support::failing_sluice_binary(),
                                    .config = config_text(scenario, upstream_.url()),
                                    .environment = {{hooks::kAllocationPlan, plan_.path()}},
                                    .files = scenario.files});
    if (!gateway_->wait_ready()) throw std::runtime_error("the gateway did not start:\n" + gateway_->output());
  }

  // Asks with `length` allocations failing from the first one on, then from `step` later on, and so on until none is
  // left.
  void walk(const std::string& name, std::int64_t length, const Ask& ask, const Fault& fault, int step = 1) {
    std::map<std::string, int> seen;
    int sites = 0;
    for (int n = 0, quiet = 0; quiet < 3; n += step) {
      const Response response = ask([&] { plan_.arm(n, length); });
      const bool failed = plan_.disarm();
      quiet = failed ? 0 : quiet + 1;
      sites += failed ? 1 : 0;
      const std::string where = name + ", allocation " + std::to_string(n) + plan_.stack();
      ASSERT_FALSE(gateway().process().wait_exit(0ms)) << where << "\n" << gateway().output();
      EXPECT_EQ(fault(response), "") << where << "\n" << response.status << " " << response.body;
      ASSERT_EQ(next().status, 200) << where;
      ++seen[std::to_string(response.status) + (response.complete ? "" : " cut")];
    }
    std::cout << name << ": " << sites << " allocations;";
    for (const auto& [how, count] : seen) std::cout << " " << how << ": " << count << ",";
    std::cout << std::endl;
    sites_ += sites;
  }
  virtual Response next() { return get("/v1/models"); }

  // On a connection that has served before and waits for more.
  Ask ask_on_kept(const std::string& body) {
    return [this, body](const std::function<void()>& arm) {
      RawClient raw = client();
      raw.send(get_request("/v1/models"));
      raw.read_response();
      gateway().metrics();  // its worker has had its turn since then
      arm();
      raw.send(post_request(kChat, body));
      return raw.read_response(3s);
    };
  }
  Ask ask_on_new(const std::string& body) {
    return [this, body](const std::function<void()>& arm) {
      arm();
      RawClient raw = connect();
      raw.send(post_request(kChat, body));
      return raw.read_response(3s);
    };
  }
  virtual RawClient connect() { return client(); }

  Plan plan_;
  int sites_ = 0;
};

// Whole and as it would be without the fault, or an internal error, or a stream that is visibly cut.
std::string fault_of(const Response& answer, int good_status) {
  if (answer.end == End::kOpen && !answer.complete) return "no end";
  if (answer.status == 500) {
    if (!answer.complete || answer.header("connection") != "close") return "an internal error that does not close";
    return answer.body.contains("internal_error") ? "" : "another error";
  }
  if (answer.status != good_status) return "another status";
  const bool done = answer.events.empty() || data_of(answer).back() == kDone;
  if (answer.complete != done) return "an invented end";
  return answer.complete || !answer.events.empty() ? "" : "cut, but no stream";
}

// Closed without a word as well.
std::string fault_or_silence(const Response& answer, int good_status) {
  return answer.status == 0 && answer.end != End::kOpen ? "" : fault_of(answer, good_status);
}

TEST_F(FailingAllocations, F74EachCostsItsRequestAndNothingElse) {
  start_failing();
  const auto as_200 = [](const Response& answer) { return fault_of(answer, 200); };
  const auto as_503 = [](const Response& answer) { return fault_of(answer, 503); };
  walk("a whole answer", 1, ask_on_kept(chat_body("any-whole")), as_200);
  walk("a stream", 1, ask_on_kept(stream_body("any-stream")), as_200);
  walk("an upstream's error", 1, ask_on_kept(chat_body("any-error")), as_503);
  EXPECT_GE(sites_, 150);
}

// Beginning with the connection itself, and with a new one to the upstream.
TEST_F(FailingAllocations, F74FromTheFirstOfANewConnectionOn) {
  start_failing({.provider = "pool: {max_idle: 0}"});
  const auto as_200 = [](const Response& answer) { return fault_or_silence(answer, 200); };
  walk("a whole answer", 1, ask_on_new(chat_body("any-whole")), as_200);
  walk("a stream", 1, ask_on_new(stream_body("any-stream")), as_200);
  EXPECT_GE(sites_, 150);
}

// What the trace was to hold of it is lost first.
TEST_F(FailingAllocations, F74ContentForTheTraceCostsNoMoreThanOtherThings) {
  const std::string body =
      R"({"model":"any-whole","messages":[{"role":"user","content":"bob@x.org, 4111 1111 1111 1111"}]})";
  std::string stream = body;
  stream.replace(stream.find("any-whole"), 9, "any-stream").insert(1, R"("stream":true,)");
  start_failing({.trace = "path: \"{DIR}/trace.jsonl\", content: redacted, redact: [{name: x, pattern: 'X[0-9]+'}]"});
  const auto as_200 = [](const Response& answer) { return fault_of(answer, 200); };
  walk("a whole answer", 1, ask_on_kept(body), as_200);
  walk("a stream", 1, ask_on_kept(stream), as_200);
  EXPECT_EQ(ask(body).status, 200);
  EXPECT_TRUE(eventually([&] {
    const auto lines = gateway().trace();
    return !lines.empty() && lines.back().value("input", "") == "user: [redacted:email], [redacted:card]";
  }));
}

// With so little memory an answer is no matter of course, but the process is.
TEST_F(FailingAllocations, F74AllOfThemFromOneOnCostTheConnectionAtMost) {
  start_failing({.provider = "pool: {max_idle: 0}"});
  const auto as_200 = [](const Response& answer) { return fault_or_silence(answer, 200); };
  walk("a whole answer, three", 3, ask_on_new(chat_body("any-whole")), as_200);
  walk("a stream, all", 1'000'000, ask_on_new(stream_body("any-stream")), as_200);
}

class FailingAdmission : public FailingAllocations {
 protected:
  std::string body_ = chat_body("any-whole");
  Ask ask_with_key() {
    return [this](const std::function<void()>& arm) {
      RawClient raw = client();
      raw.send(get_request("/v1/models", key_.bearer()));
      raw.read_response();
      gateway().metrics();
      arm();
      raw.send(post_request(kChat, body_, key_.bearer()));
      return raw.read_response(3s);
    };
  }
  // Behind another that holds the only slot and is done a moment later.
  Ask ask_in_queue() {
    return [this](const std::function<void()>& arm) {
      const auto gate = std::make_shared<Gate>();
      upstream_.forget_script();
      upstream_.on_any().hold_head_until(gate).json(chat_answer());
      RawClient first = client(), second = client();
      const auto served = upstream_.requests().size();
      first.send(post_request(kChat, body_, key_.bearer()));
      EXPECT_TRUE(upstream_.wait_for_requests(served + 1));
      gateway().metrics();
      arm();
      second.send(post_request(kChat, body_, key_.bearer()));
      second.stays_silent(5ms);
      gate->open();
      const Response answer = second.read_response(5s);
      EXPECT_EQ(fault_of(first.read_response(5s), 200), "");
      return answer;
    };
  }
  Response next() override { return get("/v1/models", key_.bearer()); }
  // Nothing stays taken by requests that are over.
  void expect_nothing_held() {
    json limits;
    EXPECT_TRUE(eventually([&] {
      limits = json::parse(gateway().admin("/admin/limits?key=app").body, nullptr, false)["limits"];
      return std::ranges::all_of(limits, [](const json& limit) {
        return limit.value("reserved_usd", 0.0) == 0 && (limit["meter"] != "concurrency" || limit["used"] == 0);
      });
    })) << limits;
  }

  const ClientKey key_ = client_key(1);
};

TEST_F(FailingAdmission, F74NothingStaysTakenFromLimitsAndBudgets) {
  start_failing(
      {.more =
           "prices: {rows: [{model: \"*\", input: 1 USD, output: 2 USD}]}\n"
           "state: {path: \"{DIR}/sluice.db\"}\ngroups: {acme: {limits: {requests: 100000/h}}}\nkeys: [" +
           key_.row("app", "group: acme, limits: {tokens: 1000000000/h, concurrency: 4, budget: 1000000 USD/month}") +
           "]\n"});
  walk("admitted", 1, ask_with_key(), [](const Response& answer) { return fault_of(answer, 200); });
  expect_nothing_held();
}

TEST_F(FailingAdmission, F74NobodyIsLeftWaiting) {
  start_failing({.more = "admission: {concurrency: 1}\nkeys: [" + key_.row("app", "") + "]\n"});
  walk("queued", 1, ask_in_queue(), [](const Response& answer) { return fault_of(answer, 200); });
  EXPECT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_queue_requests") == 0; }));
}

// Several requests at once, so that what fails is often somebody else's.
TEST_F(FailingAllocations, F74AtRandomMomentsUnderLoadNothingIsLeftBehind) {
  start_failing({.workers = 2, .provider = "pool: {idle_timeout: 100ms}"});
  const auto ask_in_turn = [this] {
    for (const char* model : {"any-whole", "any-stream", "any-error"}) {
      RawClient raw = client();
      for (int i = 0; i < 3; ++i) {
        raw.send(post_request(kChat, std::string_view(model) == "any-stream" ? stream_body(model) : chat_body(model)));
        const Response answer = raw.read_response(5s);
        EXPECT_EQ(fault_or_silence(answer, std::string_view(model) == "any-error" ? 503 : 200), "") << answer.body;
        if (!answer.complete || answer.header("connection") == "close") break;
      }
    }
  };
  const auto is_quiet = [this] {
    const Metrics metrics = gateway().metrics();
    return metrics.sum("sluice_requests_in_flight") == 0 && metrics.sum("sluice_client_connections") == 0;
  };
  ask_in_turn();
  ASSERT_TRUE(eventually(is_quiet));
  const std::size_t fds = gateway().open_fds();
  std::atomic<int> running = 4;
  std::vector<std::thread> clients;
  for (int i = 0; i < running; ++i) {
    clients.emplace_back([&] {
      for (int round = 0; round < scaled(15); ++round) ask_in_turn();
      --running;
    });
  }
  std::mt19937 random(74);
  int failed = 0;
  while (running > 0) {
    plan_.arm(static_cast<std::int64_t>(random() % 60), static_cast<std::int64_t>(1 + random() % 3));
    wait_any({}, Clock::now() + 3ms);
    failed += plan_.disarm() ? 1 : 0;
  }
  for (auto& thread : clients) thread.join();
  EXPECT_GT(failed, 20);
  EXPECT_TRUE(eventually(is_quiet)) << gateway().admin("/metrics").body;
  EXPECT_TRUE(eventually([&] { return gateway().open_fds() <= fds; })) << gateway().open_fds() << " > " << fds;
}

class FailingTlsAllocations : public FailingAllocations {
 protected:
  RawClient connect() override { return secure(); }
  Response next() override { return secure_ask(chat_body("any-whole")); }
};

TEST_F(FailingTlsAllocations, F74CostTheirConnectionAndNothingElse) {
  start_failing(secured());
  const auto as_200 = [](const Response& answer) { return fault_or_silence(answer, 200); };
  walk("a stream", 1, ask_on_new(stream_body("any-stream")), as_200, std::max(1, 16 / scaled(1)));
}

}  // namespace
}  // namespace sluice::integration
