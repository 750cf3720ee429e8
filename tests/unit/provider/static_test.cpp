// dialect: static. Answers in every shape, from memory.

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "sluice/provider/provider.hpp"
#include "unit/fakes.hpp"

namespace sluice::provider {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

const std::string kText = "We are busy; please try again.";

std::unique_ptr<Provider> fixed(milliseconds delay = 0ms, const std::string& text = kText) {
  config::Provider config;
  config.name = "house";
  config.dialect = config::ProviderDialect::kStatic;
  config.answer = text;
  config.word_delay = delay;
  return *make_provider(config);
}

struct Answered {
  std::string content_type;
  std::vector<std::string> pieces;
  std::string all() const { return std::accumulate(pieces.begin(), pieces.end(), std::string()); }
};

Task<Answered> read_all(std::unique_ptr<http::ResponseStream> stream) {
  Answered answered{std::string(stream->head().get("content-type")), {}};
  EXPECT_EQ(stream->head().status, 200);
  for (;;) {
    auto piece = co_await stream->read_some(kNever);
    EXPECT_TRUE(piece.has_value());
    if (!piece || piece->empty()) co_return answered;
    answered.pieces.emplace_back(*piece);
  }
}

Answered ask(const Provider& provider, Endpoint endpoint, const std::string& body) {
  auto view = api::parse_request(endpoint, body);
  EXPECT_TRUE(view.has_value()) << body;
  auto stream = provider.answer(*view);
  EXPECT_NE(stream, nullptr);
  return fakes::run(read_all(std::move(stream)));
}

json whole(Endpoint endpoint, const std::string& body) {
  const auto answered = ask(*fixed(), endpoint, body);
  EXPECT_EQ(answered.content_type, "application/json");
  auto value = json::parse(answered.all(), nullptr, false);
  EXPECT_TRUE(value.is_object()) << answered.all();
  return value;
}

// The data of every event, `[DONE]` as a string.
std::vector<json> events_of(const Answered& answered) {
  EXPECT_EQ(answered.content_type, "text/event-stream");
  std::vector<json> events;
  std::istringstream lines(answered.all());
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("data: ")) continue;
    const auto data = line.substr(6);
    events.push_back(data == "[DONE]" ? json(data) : json::parse(data, nullptr, false));
    EXPECT_FALSE(events.back().is_discarded()) << data;
  }
  return events;
}

std::string chat(const std::string& more = "") {
  return R"({"model":"house","messages":[{"role":"user","content":"hello there"}])" + more + "}";
}

TEST(StaticProvider, AnswersChat) {
  const auto answer = whole(Endpoint::kChat, chat());
  EXPECT_EQ(answer["object"], "chat.completion");
  EXPECT_EQ(answer["model"], "house");
  EXPECT_EQ(answer["choices"][0]["message"]["role"], "assistant");
  EXPECT_EQ(answer["choices"][0]["message"]["content"], kText);
  EXPECT_EQ(answer["choices"][0]["finish_reason"], "stop");
}

TEST(StaticProvider, AnswersCompletionsAndResponses) {
  const auto completion = whole(Endpoint::kCompletions, R"({"model":"house","prompt":"x"})");
  EXPECT_EQ(completion["object"], "text_completion");
  EXPECT_EQ(completion["choices"][0]["text"], kText);
  const auto response = whole(Endpoint::kResponses, R"({"model":"house","input":"x"})");
  EXPECT_EQ(response["object"], "response");
  EXPECT_EQ(response["status"], "completed");
  EXPECT_EQ(response["output"][0]["content"][0]["text"], kText);
}

TEST(StaticProvider, AnswersEmbeddingsWithUnitVectorsThatDependOnTheTextAlone) {
  const auto answer = whole(Endpoint::kEmbeddings, R"({"model":"house","input":["a","b","a"],"dimensions":16})");
  ASSERT_EQ(answer["data"].size(), 3U);
  EXPECT_EQ(answer["data"][0]["embedding"], answer["data"][2]["embedding"]);
  EXPECT_NE(answer["data"][0]["embedding"], answer["data"][1]["embedding"]);
  EXPECT_EQ(answer["data"][1]["index"], 1);
  const auto vector = answer["data"][0]["embedding"].get<std::vector<double>>();
  ASSERT_EQ(vector.size(), 16U);
  EXPECT_NEAR(std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0), 1.0, 1e-5);
  const auto alone = whole(Endpoint::kEmbeddings, R"({"model":"house","input":"a","dimensions":16})");
  EXPECT_EQ(alone["data"][0]["embedding"], answer["data"][0]["embedding"]);
}

TEST(StaticProvider, TakesAListOfTokensForOneInput) {
  EXPECT_EQ(whole(Endpoint::kEmbeddings, R"({"model":"house","input":[1,2,3]})")["data"].size(), 1U);
  EXPECT_EQ(whole(Endpoint::kEmbeddings, R"({"model":"house","input":[[1,2],[3]]})")["data"].size(), 2U);
}

TEST(StaticProvider, HasNoVerdictOnModerations) {
  const auto view = api::parse_request(Endpoint::kModerations, R"({"input":"x"})");
  ASSERT_TRUE(view.has_value());
  const auto provider = fixed();
  EXPECT_EQ(provider->answer(*view), nullptr);
  Encoded encoded;
  const auto asked = provider->encode({}, *view, encoded);
  ASSERT_FALSE(asked.has_value());
  EXPECT_EQ(asked.error().kind, ErrorKind::kUnknownRoute);
}

TEST(StaticProvider, StreamsChatWordByWord) {
  const auto answered = ask(*fixed(), Endpoint::kChat, chat(R"(,"stream":true)"));
  const auto events = events_of(answered);
  EXPECT_EQ(events.back(), "[DONE]");
  EXPECT_EQ(events.front()["choices"][0]["delta"]["role"], "assistant");
  std::string text;
  int words = 0, finishes = 0;
  for (const auto& event : events) {
    if (!event.is_object() || event["choices"].empty()) continue;
    EXPECT_EQ(event["object"], "chat.completion.chunk");
    const auto& delta = event["choices"][0]["delta"];
    if (delta.contains("content") && delta["content"] != "") ++words;
    text += delta.value("content", "");
    if (!event["choices"][0]["finish_reason"].is_null()) ++finishes;
  }
  EXPECT_EQ(text, kText);
  EXPECT_EQ(words, 6);
  EXPECT_EQ(finishes, 1);
  EXPECT_GE(answered.pieces.size(), 7U) << "one read per word";
}

TEST(StaticProvider, StreamsCompletionsAndResponses) {
  std::string text;
  for (const auto& event :
       events_of(ask(*fixed(), Endpoint::kCompletions, R"({"model":"house","prompt":"x","stream":true})"))) {
    if (event.is_object() && !event["choices"].empty()) text += event["choices"][0]["text"].get<std::string>();
  }
  EXPECT_EQ(text, kText);
  text.clear();
  const auto events = events_of(ask(*fixed(), Endpoint::kResponses, R"({"model":"house","input":"x","stream":true})"));
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i]["sequence_number"], i);
    if (events[i]["type"] == "response.output_text.delta") text += events[i]["delta"].get<std::string>();
  }
  EXPECT_EQ(text, kText);
  EXPECT_EQ(events.front()["type"], "response.created");
  EXPECT_EQ(events.back()["type"], "response.completed");
  EXPECT_EQ(events.back()["response"]["output"][0]["content"][0]["text"], kText);
}

TEST(StaticProvider, SaysTheSameEveryTime) {
  for (const std::string more : {"", R"(,"stream":true)"}) {
    const auto provider = fixed();
    auto first = ask(*provider, Endpoint::kChat, chat(more)).all(), second = first;
    for (int i = 0; i < 3; ++i) {
      second = ask(*provider, Endpoint::kChat, chat(more)).all();
      // All but the clock.
      const auto strip = [](std::string text) {
        for (auto at = text.find("\"created\":"); at != std::string::npos; at = text.find("\"created\":", at + 1)) {
          text.erase(at + 10, text.find(',', at) - at - 10);
        }
        return text;
      };
      EXPECT_EQ(strip(first), strip(second));
    }
  }
}

TEST(StaticProvider, MaxTokensCutsTheAnswerAndSaysSo) {
  for (const std::string name : {"max_tokens", "max_completion_tokens"}) {
    const auto answer = whole(Endpoint::kChat, chat(",\"" + name + "\":2"));
    EXPECT_EQ(answer["choices"][0]["message"]["content"], "We are");
    EXPECT_EQ(answer["choices"][0]["finish_reason"], "length");
    EXPECT_EQ(answer["usage"]["completion_tokens"], 2);
  }
  const auto response = whole(Endpoint::kResponses, R"({"model":"house","input":"x","max_output_tokens":2})");
  EXPECT_EQ(response["status"], "incomplete");
  EXPECT_EQ(response["incomplete_details"]["reason"], "max_output_tokens");
  const auto events = events_of(ask(*fixed(), Endpoint::kChat, chat(R"(,"stream":true,"max_tokens":2)")));
  int cut = 0;
  for (const auto& event : events) {
    if (event.is_object() && !event["choices"].empty() && event["choices"][0]["finish_reason"] == "length") ++cut;
  }
  EXPECT_EQ(cut, 1);
}

TEST(StaticProvider, ALimitAsLongAsTheAnswerCutsNothing) {
  EXPECT_EQ(whole(Endpoint::kChat, chat(R"(,"max_tokens":6)"))["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(whole(Endpoint::kChat, chat(R"(,"max_tokens":5)"))["choices"][0]["finish_reason"], "length");
}

TEST(StaticProvider, UsageAddsUp) {
  const auto usage = whole(Endpoint::kChat, chat())["usage"];
  EXPECT_EQ(usage["completion_tokens"], 6);
  EXPECT_GT(usage["prompt_tokens"], 0);
  EXPECT_EQ(usage["total_tokens"], usage["prompt_tokens"].get<int>() + 6);
  const auto response = whole(Endpoint::kResponses, R"({"model":"house","input":"x"})")["usage"];
  EXPECT_EQ(response["total_tokens"], response["input_tokens"].get<int>() + response["output_tokens"].get<int>());
  const auto events = events_of(ask(*fixed(), Endpoint::kChat, chat(R"(,"stream":true)")));
  ASSERT_GE(events.size(), 3U);
  const auto& last = events[events.size() - 2];
  EXPECT_TRUE(last["choices"].empty());
  EXPECT_EQ(last["usage"], usage);
}

TEST(StaticProvider, AnyTextSurvivesTheTrip) {
  const std::string text = "  \"quoted\" \\ \n line\ttab \u2028 \U0001F600 end ";
  const auto provider = fixed(0ms, text);
  EXPECT_EQ(json::parse(ask(*provider, Endpoint::kChat, chat()).all())["choices"][0]["message"]["content"], text);
  std::string streamed;
  for (const auto& event : events_of(ask(*provider, Endpoint::kChat, chat(R"(,"stream":true)")))) {
    if (event.is_object() && !event["choices"].empty()) streamed += event["choices"][0]["delta"].value("content", "");
  }
  EXPECT_EQ(streamed, text);
}

TEST(StaticProvider, WordsComeOneDelayApart) {
  const auto started = Clock::now();
  ask(*fixed(5ms), Endpoint::kChat, chat(R"(,"stream":true)"));
  EXPECT_GE(Clock::now() - started, 6 * 5ms);
  const auto again = Clock::now();
  ask(*fixed(1h), Endpoint::kChat, chat());
  EXPECT_LT(Clock::now() - again, 5s) << "a whole answer waits for nothing";
}

TEST(StaticProvider, CancellingEndsTheWaitForTheNextWord) {
  const std::string body = chat(R"(,"stream":true)");
  const auto view = api::parse_request(Endpoint::kChat, body);
  ASSERT_TRUE(view.has_value());
  net::io_context io;
  net::cancellation_signal client_left;
  auto stream = fixed(1h)->answer(*view);
  auto reading = [](http::ResponseStream& from, net::cancellation_signal& leave) -> Task<Result<std::string>> {
    (void)co_await from.read_some(kNever);
    net::post(co_await net::this_coro::executor, [&leave] { leave.emit(net::cancellation_type::terminal); });
    auto second = co_await from.read_some(kNever);
    if (!second) co_return std::unexpected(second.error());
    co_return std::string(*second);
  };
  const auto result = fakes::run_on(io, reading(*stream, client_left), client_left.slot());
  ASSERT_TRUE(result.has_value());
  ASSERT_FALSE(result->has_value());
  EXPECT_EQ(result->error().kind, ErrorKind::kClientGone);
}

}  // namespace
}  // namespace sluice::provider
