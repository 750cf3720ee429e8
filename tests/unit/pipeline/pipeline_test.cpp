#include "sluice/pipeline/middleware.hpp"

#include <gtest/gtest.h>

#include "unit/fakes.hpp"

namespace sluice::pipeline {
namespace {

constexpr std::size_t kInlineBytes = 256 * 1024;

const std::string kChat = R"({"model":"fast","stream":true,"messages":[{"role":"user","content":"hi"}]})";

struct Conversation {
  explicit Conversation(std::string text) : body(std::move(text)) { request.body = body; }
  std::string body;
  http::Request request;
  fakes::MemorySink sink;
  fakes::ScriptedClient client;
  observe::Record record;
  Exchange exchange{request, &sink, client, record};
};

// Notes its name on the way in and on the way out, then goes on, answers, or fails.
class Noting final : public Middleware {
 public:
  enum class Then { kGoOn, kAnswer, kFail };
  Noting(std::string name, std::string& notes, Then then = Then::kGoOn)
      : name_(std::move(name)), notes_(notes), then_(then) {}
  Task<Result<void>> handle(Exchange& exchange, Next next) const override {
    notes_ += name_ + " ";
    Result<void> result;
    if (then_ == Then::kGoOn) result = co_await next(exchange);
    if (then_ == Then::kAnswer) result = co_await exchange.sink->respond({}, "done");
    if (then_ == Then::kFail) result = fail(ErrorKind::kOverloaded, "full");
    notes_ += "/" + name_ + " ";
    co_return result;
  }

 private:
  std::string name_;
  std::string& notes_;
  Then then_;
};

template <class... Stages>
Pipeline chain(Stages... stages) {
  Pipeline made;
  (made.push_back(std::move(stages)), ...);
  return made;
}

std::unique_ptr<Middleware> noting(std::string name, std::string& notes, Noting::Then then = Noting::Then::kGoOn) {
  return std::make_unique<Noting>(std::move(name), notes, then);
}

TEST(Next, AtTheEndOfTheChainIsOurFault) {
  Conversation one("");
  const auto result = fakes::run(Next({})(one.exchange));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kInternal);
  EXPECT_FALSE(one.sink.started());
}

TEST(Next, CallsTheStagesInOrderLikeTheSkinsOfAnOnion) {
  std::string notes;
  Conversation one("");
  const auto stages = chain(noting("a", notes), noting("b", notes), noting("c", notes, Noting::Then::kAnswer));
  EXPECT_TRUE(fakes::run(Next(stages)(one.exchange)).has_value());
  EXPECT_EQ(notes, "a b c /c /b /a ");
  EXPECT_EQ(one.sink.body(), "done");
}

TEST(Next, AStageThatFailsIsTheLastAndItsErrorComesOut) {
  std::string notes;
  Conversation one("");
  const auto stages = chain(noting("a", notes), noting("b", notes, Noting::Then::kFail), noting("c", notes));
  const auto result = fakes::run(Next(stages)(one.exchange));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kOverloaded);
  EXPECT_EQ(notes, "a b /b /a ");
}

TEST(Next, AChainServesManyExchanges) {
  std::string notes;
  const auto stages = chain(noting("a", notes), noting("b", notes, Noting::Then::kAnswer));
  for (int i = 0; i < 3; ++i) {
    Conversation one("");
    EXPECT_TRUE(fakes::run(Next(stages)(one.exchange)).has_value());
  }
  EXPECT_EQ(notes, "a b /b /a a b /b /a a b /b /a ");
}

// The parse stage with one behind it that answers.
struct Parsed {
  explicit Parsed(std::string body, std::string_view query = {}, std::vector<http::Field> fields = {})
      : one(std::move(body)) {
    one.exchange.endpoint = Endpoint::kChat;
    one.request.head.query = query;
    one.request.head.fields = std::move(fields);
    const auto stages = chain(make_parse_request(kInlineBytes), noting("next", notes, Noting::Then::kAnswer));
    result = fakes::run(Next(stages)(one.exchange));
  }
  Conversation one;
  std::string notes;
  Result<void> result;
};

TEST(ParseRequest, FillsTheViewAndTheRecordAndGoesOn) {
  const Parsed parsed(kChat);
  ASSERT_TRUE(parsed.result.has_value());
  ASSERT_TRUE(parsed.one.exchange.view.has_value());
  EXPECT_EQ(parsed.one.exchange.view->model, "fast");
  EXPECT_TRUE(parsed.one.exchange.view->stream);
  EXPECT_EQ(parsed.one.exchange.view->body.data(), parsed.one.body.data()) << "nothing was copied";
  EXPECT_EQ(parsed.one.record.model, "fast");
  EXPECT_TRUE(parsed.one.record.stream);
  EXPECT_NE(parsed.one.record.stages[static_cast<std::size_t>(observe::Stage::kParse)], TimePoint{});
  EXPECT_EQ(parsed.notes, "next /next ");
}

TEST(ParseRequest, RefusesWhatItCannotReadAndStopsThere) {
  const std::pair<std::string, ErrorKind> bad[] = {
      {"", ErrorKind::kInvalidJson},
      {"{", ErrorKind::kInvalidJson},
      {kChat + "x", ErrorKind::kInvalidJson},
      {"\xef\xbb\xbf" + kChat, ErrorKind::kInvalidJson},
      {R"({"model":"a","model":"b","messages":[]})", ErrorKind::kDuplicateKey},
      {R"({"model":"a","messages":)" + std::string(100, '[') + std::string(100, ']') + "}", ErrorKind::kJsonTooDeep},
      {R"({"messages":[{"role":"user","content":"x"}]})", ErrorKind::kMissingField},
      {R"({"model":7,"messages":[{"role":"user","content":"x"}]})", ErrorKind::kInvalidValue},
      {R"({"model":"a","api_base":"http://x","messages":[{"role":"user","content":"x"}]})",
       ErrorKind::kUnsupportedParameter}};
  for (const auto& [body, kind] : bad) {
    const Parsed parsed(body);
    ASSERT_FALSE(parsed.result.has_value()) << body;
    EXPECT_EQ(parsed.result.error().kind, kind) << body;
    EXPECT_EQ(parsed.notes, "") << "the next stage must not see it";
    EXPECT_FALSE(parsed.one.exchange.view.has_value());
    EXPECT_FALSE(parsed.one.sink.started());
    EXPECT_NE(parsed.one.record.stages[static_cast<std::size_t>(observe::Stage::kParse)], TimePoint{});
  }
}

TEST(ParseRequest, F22RefusesAHeadThatNamesADestination) {
  const Parsed by_query(kChat, "a=1&api_base=http://169.254.169.254/");
  const Parsed by_header(kChat, "", {{"accept", "*/*"}, {"X-Portkey-Custom-Host", "http://169.254.169.254/"}});
  for (const Parsed* parsed : {&by_query, &by_header}) {
    ASSERT_FALSE(parsed->result.has_value());
    EXPECT_EQ(parsed->result.error().kind, ErrorKind::kUnsupportedParameter);
    EXPECT_EQ(parsed->notes, "");
    EXPECT_FALSE(parsed->one.exchange.view.has_value());
    EXPECT_NE(parsed->one.record.stages[static_cast<std::size_t>(observe::Stage::kParse)], TimePoint{});
  }
  EXPECT_EQ(by_query.result.error().param, "api_base");
  EXPECT_EQ(by_header.result.error().param, "x-portkey-custom-host");
}

TEST(ParseRequest, F16ALongModelNameIsRecordedOnlyInPart) {
  const std::string name(1'000'000, 'x');
  const Parsed parsed(R"({"model":")" + name + R"(","messages":[{"role":"user","content":"x"}]})");
  ASSERT_TRUE(parsed.result.has_value());
  EXPECT_LE(parsed.one.record.model.size(), 64 + std::string_view("…").size());
  EXPECT_EQ(parsed.one.exchange.view->model, name);
}

TEST(ParseRequest, PassesTheErrorsOfInnerStagesThrough) {
  std::string notes;
  Conversation one(kChat);
  one.exchange.endpoint = Endpoint::kChat;
  const auto stages = chain(make_parse_request(kInlineBytes), noting("next", notes, Noting::Then::kFail));
  const auto result = fakes::run(Next(stages)(one.exchange));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kOverloaded);
}

}  // namespace
}  // namespace sluice::pipeline
