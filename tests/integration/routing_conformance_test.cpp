// Every fault of an upstream, in streams and whole answers, at every position: what the client gets, how often each
// upstream was asked, what is counted and what is on the record. Alone, and with a healthy target behind it.

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

enum class Kind : std::uint8_t { kWhole, kStream };

// Where the faulty target is to be found. Only at kUpstream can it be asked anything.
enum class Place : std::uint8_t { kUpstream, kNobodyListens, kBlackhole, kBadCertificate };

struct Fault {
  std::string name;  // F number, what it is, position
  Kind kind = Kind::kWhole;
  std::function<void(Behaviour&)> act;
  int status = 0;  // to the client when nobody else is there; 0: the stream had begun
  std::string code;
  bool moves_on = true;             // another target is asked
  std::string_view why = "same";    // result of the attempt in the metrics, where it is not `code`
  std::string_view early = "same";  // and where it is given up sooner, for another one
  Place place = Place::kUpstream;
  std::size_t asked = 1;  // requests that the faulty one sees
  bool kept = false;      // the connection has served before
};
void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

constexpr int kBegun = 0;
constexpr bool kStays = false;

std::string text_event(const std::string& payload) { return "data: " + payload + "\n\n"; }
std::vector<std::string> with_role(std::vector<std::string> more) {
  more.insert(more.begin(), role_chunk());
  return more;
}
std::string error_event() { return error_answer("overloaded", "server_error", "server_error"); }
std::size_t role_and(std::size_t more) { return text_event(role_chunk()).size() + more; }
std::size_t text_and(std::size_t more) { return role_and(text_event(text_chunk("lost")).size()) + more; }

// Before the head, and where the head says it: the same for both kinds.
std::vector<Fault> at_the_head(Kind kind) {
  const auto status = [](int code) {
    return [code](Behaviour& be) { be.status(code).json(error_answer("no", "x", "y")); };
  };
  return {
      {"F27ClosedBeforeHead", kind, [](Behaviour& be) { be.close_before_answer(); }, 502, "upstream_connection_lost"},
      {"F27ResetBeforeHead", kind, [](Behaviour& be) { be.reset_before_answer(); }, 502, "upstream_connection_lost"},
      {"F30SilentBeforeHead", kind, [](Behaviour& be) { be.hang(); }, 504, "upstream_timeout"},
      {"F36HtmlErrorBody", kind, [](Behaviour& be) { be.status(500).body("text/html", "<html>"); }, 502, "", true,
       "upstream_error"},
      {"F36Unavailable", kind, status(503), 503, "y", true, "upstream_error"},
      {"F37Limited", kind, status(429), 429, "y", true, "upstream_error"},
      {"F38Refused", kind, status(401), 502, "upstream_auth_failed"},
      {"F38Forbidden", kind, status(403), 502, "upstream_auth_failed"},
      {"F39BadRequest", kind, status(400), 400, "y", kStays, "upstream_error"},
      {"F39NotFound", kind, status(404), 404, "y", kStays, "upstream_error"},
      {"F39Unprocessable", kind, status(422), 422, "y", kStays, "upstream_error"},
      {"F43TooLarge", kind, status(413), 413, "y", kStays, "upstream_error"},
      {"F44BadHead", kind, [](Behaviour& be) { be.raw("HTTP/1.1 200 OK\r\nx bad: 1\r\n\r\n"); }, 502,
       "upstream_invalid_response"},
      {"F45Compressed", kind, [](Behaviour& be) { be.header("content-encoding", "gzip").json("\x1f\x8b"); }, 502,
       "upstream_invalid_response"},
      {"F46Redirect", kind, [](Behaviour& be) { be.status(302).header("location", "http://127.0.0.1:1/"); }, 502,
       "upstream_invalid_response"},
  };
}

// Where no answer can begin, or the connection had been closed meanwhile.
std::vector<Fault> of_connections(Kind kind) {
  const auto at = [kind](std::string name, Place place, int status, std::string code) {
    return Fault{.name = std::move(name),
                 .kind = kind,
                 .act = [](Behaviour& be) { be.json("lost"); },
                 .status = status,
                 .code = std::move(code),
                 .place = place,
                 .asked = 0};
  };
  const auto kept = [kind](std::string name, std::size_t asked, std::function<void(Behaviour&)> act) {
    return Fault{.name = std::move(name),
                 .kind = kind,
                 .act = std::move(act),
                 .status = 502,
                 .code = "upstream_connection_lost",
                 .asked = asked,
                 .kept = true};
  };
  return {
      at("F27RefusedConnect", Place::kNobodyListens, 502, "upstream_connect_failed"),
      at("F28Blackhole", Place::kBlackhole, 504, "upstream_timeout"),
      at("F29BadCertificate", Place::kBadCertificate, 502, "upstream_tls_error"),
      kept("F42ClosedAndItsReplayAsWell", 2, [](Behaviour& be) { be.close_before_answer(); }),
      kept("F42ResetAndItsReplayAsWell", 2, [](Behaviour& be) { be.reset_before_answer(); }),
      kept("F42CutInTheHead", 1, [](Behaviour& be) { be.raw("HTTP/1.1 200 OK\r\nconte").then_fin(); }),
  };
}

std::vector<Fault> of_whole_answers() {
  const auto whole = Kind::kWhole;
  return {
      {"F31SilentInBody", whole, [](Behaviour& be) { be.json("{\"id\":").announce_length(500).stall(); }, 504,
       "upstream_idle_timeout"},
      {"F32CutByFin", whole, [](Behaviour& be) { be.json(chat_answer()).then_fin_at(50); }, 502,
       "upstream_stream_truncated"},
      {"F32CutByReset", whole, [](Behaviour& be) { be.json(chat_answer()).then_reset_at(50); }, 502,
       "upstream_stream_truncated"},
      {"F34ErrorInA200", whole, [](Behaviour& be) { be.json(error_event()); }, 502, "server_error", true,
       "upstream_error"},
      {"F36NoJson", whole, [](Behaviour& be) { be.body("text/html", "<html>"); }, 502, "upstream_invalid_response"},
      {"F36Empty", whole, [](Behaviour& be) { be.json(""); }, 502, "upstream_invalid_response"},
  };
}

std::vector<Fault> of_streams() {
  const auto stream = Kind::kStream;
  const std::string big(1'400'000, 'x');
  return {
      {"F30OnlyCommentsFirst", stream,
       [](Behaviour& be) { be.sse({": ping\n\n", ": ping\n\n"}).event_gap(50ms).stall(); }, 504, "upstream_timeout"},
      {"F30OnlyARole", stream, [](Behaviour& be) { be.stream({role_chunk()}).stall(); }, kBegun,
       "upstream_idle_timeout", true, "same", "upstream_timeout"},
      {"F32CutBeforeAnEvent", stream, [](Behaviour& be) { be.stream({role_chunk()}).then_fin_at(20); }, 502,
       "upstream_stream_truncated"},
      {"F32CutAfterTheRole", stream, [](Behaviour& be) { be.stream({role_chunk()}).without_last_chunk(); }, kBegun,
       "upstream_stream_truncated"},
      {"F32CutInTheFirstText", stream,
       [](Behaviour& be) { be.stream(with_role({text_chunk("lost")})).then_reset_at(role_and(30)); }, kBegun,
       "upstream_stream_truncated"},
      {"F33DoneAfterTheRole", stream, [](Behaviour& be) { be.stream(with_role({"[DONE]"})); }, kBegun,
       "upstream_stream_truncated"},
      {"F34ErrorFirst", stream, [](Behaviour& be) { be.stream({error_event()}); }, 502, "server_error", true,
       "upstream_error"},
      {"F34ErrorAfterTheRole", stream, [](Behaviour& be) { be.stream(with_role({error_event()})); }, kBegun,
       "server_error", true, "upstream_error"},
      {"F34WholeBodyInsteadOfAStream", stream, [](Behaviour& be) { be.json(chat_answer()); }, 502,
       "upstream_invalid_response"},
      {"F47EndlessFirstLine", stream, [big](Behaviour& be) { be.sse({"data: " + big}).stall(); }, 502,
       "upstream_event_too_big"},
      {"NoJsonAfterTheRole", stream, [](Behaviour& be) { be.stream(with_role({"{bad"})); }, kBegun,
       "upstream_invalid_event"},
      // Something to read has been shown: nobody else is asked.
      {"F31SilentAfterText", stream, [](Behaviour& be) { be.stream(with_role({text_chunk("lost")})).stall(); }, kBegun,
       "upstream_idle_timeout", kStays},
      {"F32CutAfterText", stream,
       [](Behaviour& be) { be.stream(with_role({text_chunk("lost")})).without_last_chunk(); }, kBegun,
       "upstream_stream_truncated", kStays},
      {"F32ResetInTheSecondText", stream,
       [](Behaviour& be) {
         be.stream(with_role({text_chunk("lost"), text_chunk("never")})).then_reset_at(text_and(40));
       },
       kBegun, "upstream_stream_truncated", kStays},
      {"F33DoneAfterText", stream, [](Behaviour& be) { be.stream(with_role({text_chunk("lost"), "[DONE]"})); }, kBegun,
       "upstream_stream_truncated", kStays},
      {"F35ErrorAfterText", stream, [](Behaviour& be) { be.stream(with_role({text_chunk("lost"), error_event()})); },
       kBegun, "server_error", kStays, "upstream_error"},
      {"F47HugeEventAfterText", stream,
       [big](Behaviour& be) { be.stream(with_role({text_chunk("lost"), text_chunk(big)})); }, kBegun,
       "upstream_event_too_big", kStays},
      {"NoJsonAfterText", stream, [](Behaviour& be) { be.stream(with_role({text_chunk("lost"), "{bad"})); }, kBegun,
       "upstream_invalid_event", kStays},
  };
}

std::vector<Fault> all_faults() {
  std::vector<Fault> all;
  for (auto part : {at_the_head(Kind::kWhole), at_the_head(Kind::kStream), of_connections(Kind::kWhole),
                    of_connections(Kind::kStream), of_whole_answers(), of_streams()}) {
    for (Fault& fault : part) all.push_back(std::move(fault));
  }
  return all;
}

class RoutingConformance : public GatewayTest, public ::testing::WithParamInterface<Fault> {
 protected:
  // `m` asks the faulty one alone, `whole` and `stream` have a healthy one behind it.
  void start_routes() {
    if (GetParam().kept) upstream_.on(kChat).json(chat_answer("the first"));
    GetParam().act(upstream_.on(kChat));
    healthy_.on_any().json(chat_answer("from the healthy one"));
    healthy_.on_model("stream").stream(chat_stream({"from the", " healthy one"}));
    const std::string healthy = "  healthy: {base_url: \"" + healthy_.url() + "\"}\n";
    start({.timeouts = "connect: 1s, first_byte: 300ms, first_token: 300ms, idle: 300ms, total: 10s",
           .base_url = url(),
           .providers = healthy,
           .models = "m: up/x, whole: {targets: [up/x, healthy/whole]}, stream: {targets: [up/x, healthy/stream]}"});
  }
  std::string url() const {
    switch (GetParam().place) {
      case Place::kUpstream:
        return upstream_.url();
      case Place::kNobodyListens:
        return "http://127.0.0.1:" + std::to_string(refused_port()) + "/v1";
      case Place::kBlackhole:
        return "http://127.0.0.1:" + std::to_string(blackhole_.port()) + "/v1";
      case Place::kBadCertificate:
        return stranger_.url();
    }
    return {};
  }
  // The request to the faulty one; before it, where its connection is a kept one, a good request.
  Response ask_model(const std::string& model) {
    if (GetParam().kept) EXPECT_EQ(ask(chat_body("m")).status, 200);
    return ask(GetParam().kind == Kind::kStream ? stream_body(model) : chat_body(model));
  }
  void expect_failure(const Response& response) const {
    const Fault& fault = GetParam();
    if (fault.status == kBegun) {
      EXPECT_TRUE(ends_in_error(response, fault.code));
    } else if (!fault.code.empty()) {
      EXPECT_TRUE(is_error(response, fault.status, fault.code));
    } else {
      EXPECT_EQ(response.status, fault.status) << response.body;
    }
  }
  std::string result(bool early = false) const {
    const Fault& fault = GetParam();
    if (early && fault.early != "same") return std::string(fault.early);
    return fault.why == "same" ? fault.code : std::string(fault.why);
  }
  double attempts(const Metrics& metrics, const std::string& provider, const std::string& result) const {
    return metrics.sum("sluice_upstream_attempts_total",
                       {"provider=\"" + provider + "\"", "result=\"" + result + "\""});
  }

  // Of the request to the faulty one.
  json line() {
    const std::size_t count = GetParam().kept ? 2 : 1;
    const auto lines = gateway().trace(count);
    EXPECT_EQ(lines.size(), count);
    return lines.empty() ? json::object() : lines.back();
  }
  std::size_t asked() const { return upstream_.requests().size() - (GetParam().kept ? 1 : 0); }
  // What happened to the client's request stands on the record, and nobody else was asked.
  void expect_told(json line) const {
    EXPECT_EQ(line["attempts"], 1);
    EXPECT_EQ(line["provider"], "up");
    EXPECT_NE(line["outcome"], "ok");
    EXPECT_EQ(line["error"], result());
  }

  ScriptedUpstream healthy_;
  ScriptedUpstream stranger_{UpstreamOptions{.tls = Certificate::kGood}};  // whom the system's authorities do not know
  const BlackholePort blackhole_;
};

std::size_t count_of(std::string_view word, std::string_view text) {
  std::size_t count = 0;
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

TEST_P(RoutingConformance, AloneItIsAskedOnceAndTheClientHearsOfItOnce) {
  start_routes();
  const Response response = ask_model("m");
  expect_failure(response);
  expect_told(line());
  EXPECT_EQ(asked(), GetParam().asked);
  EXPECT_LE(count_of("lost", response.body), 1U);
  EXPECT_EQ(attempts(gateway().metrics(), "up", result()), 1) << result();
}

TEST_P(RoutingConformance, WithAnotherTargetTheClientSeesThatOneAloneOrTheErrorAlone) {
  const Fault& fault = GetParam();
  start_routes();
  const Response response = ask_model(fault.kind == Kind::kStream ? "stream" : "whole");
  json told = line();
  const Metrics metrics = gateway().metrics();
  EXPECT_EQ(asked(), fault.asked);
  EXPECT_EQ(attempts(metrics, "up", result(true)), 1) << result(true);
  if (!fault.moves_on) {
    expect_failure(response);
    expect_told(told);
    EXPECT_EQ(count_of("lost", response.body), fault.status == kBegun ? 1U : 0U) << "no text comes twice";
    EXPECT_EQ(healthy_.requests().size(), 0U) << "nobody else may be asked";
    EXPECT_EQ(metrics.sum("sluice_fallbacks_total"), 0);
    return;
  }
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_TRUE(response.complete);
  EXPECT_EQ(count_of("lost", response.body), 0U) << response.body;
  EXPECT_EQ(count_of("healthy one", response.body), 1U) << response.body;
  EXPECT_EQ(response.header("x-sluice-provider"), "healthy");
  EXPECT_EQ(response.header("x-sluice-attempts"), "2");
  EXPECT_EQ(healthy_.requests().size(), 1U);
  EXPECT_EQ(attempts(metrics, "healthy", "ok"), 1);
  EXPECT_EQ(metrics.sum("sluice_fallbacks_total", {"from=\"up/x\"", "reason=\"" + result(true) + "\""}), 1);
  EXPECT_EQ(told["attempts"], 2);
  EXPECT_EQ(told["outcome"], "ok");
  EXPECT_EQ(told["provider"], "healthy");
}

INSTANTIATE_TEST_SUITE_P(Fault, RoutingConformance, ::testing::ValuesIn(all_faults()), [](const auto& one) {
  return one.param.name + (one.param.kind == Kind::kStream ? "InAStream" : "InAWholeAnswer");
});

using NoName = GatewayTest;

// The look-up fails at once or takes too long, as the machine's resolver likes.
TEST_F(NoName, F28ATargetWhoseNameDoesNotResolveIsFollowedByTheNext) {
  upstream_.on_model("whole").json(chat_answer());
  upstream_.on_model("stream").stream(chat_stream({"hello"}));
  start({.timeouts = "connect: 300ms",
         .providers = "  nowhere: {base_url: \"http://no-such-host.invalid/v1\"}\n",
         .models = "whole: {targets: [nowhere/x, up/whole]}, stream: {targets: [nowhere/x, up/stream]}"});
  const Response whole = ask(chat_body("whole"));
  EXPECT_EQ(whole.body, chat_answer());
  const Response stream = ask(stream_body("stream"));
  EXPECT_EQ(data_of(stream), chat_stream({"hello"}));
  for (const Response& response : {whole, stream}) EXPECT_EQ(response.header("x-sluice-attempts"), "2");
  const Metrics metrics = gateway().metrics();
  EXPECT_EQ(metrics.sum("sluice_upstream_attempts_total", {R"(provider="nowhere")"}), 2);
  EXPECT_EQ(metrics.sum("sluice_fallbacks_total", {R"(from="nowhere/x")"}), 2);
}

using KeptConnection = GatewayTest;

TEST_F(KeptConnection, F42AReplayThatIsAnsweredIsTheSameAttemptAndNobodyElseIsAsked) {
  ScriptedUpstream healthy;
  healthy.on_any().json(chat_answer("from the healthy one"));
  upstream_.on(kChat).json(chat_answer());
  upstream_.on(kChat).close_before_answer();
  upstream_.on(kChat).json(chat_answer());
  upstream_.on(kChat).reset_before_answer();
  upstream_.on(kChat).stream(chat_stream({"hello"}));
  start(
      {.providers = "  healthy: {base_url: \"" + healthy.url() + "\"}\n", .models = "m: {targets: [up/x, healthy/x]}"});
  EXPECT_EQ(ask(chat_body()).status, 200);
  const Response whole = ask(chat_body());
  EXPECT_EQ(whole.body, chat_answer());
  const Response stream = ask(stream_body());
  EXPECT_EQ(data_of(stream), chat_stream({"hello"}));
  EXPECT_EQ(upstream_.requests().size(), 5U);
  EXPECT_TRUE(healthy.requests().empty());
  for (const Response& response : {whole, stream}) EXPECT_EQ(response.header("x-sluice-attempts"), "1");
  for (const json& line : gateway().trace(3)) EXPECT_EQ(line["attempts"], 1);
  EXPECT_EQ(gateway().metrics().sum("sluice_upstream_attempts_total", {R"(provider="up")", R"(result="ok")"}), 3);
}

}  // namespace
}  // namespace sluice::integration
