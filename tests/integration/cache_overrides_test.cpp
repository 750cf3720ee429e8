// What models and keys say about the cache for themselves: the key wins over the model, the model over the section, and
// what is off is off.

#include "integration/cache_fixture.hpp"

namespace sluice::integration {
namespace {

// Of the section, of models `m` and `n`, and of the two keys: the inside of `cache`; empty: none there.
struct Said {
  std::string section = {};
  std::string m = {}, n = {};
  std::string app = {}, other = {};
  std::string others_group = "acme/chat";  // that of the first is acme/search
};

class CacheOverrides : public CacheTest {
 protected:
  void start_with(const Said& said) {
    if (gateway_) stop();
    Scenario made = scenario(said.section, of(said.app));
    made.models =
        "m: {target: up/upstream-model" + more(said.m) + "}, n: {target: up/upstream-model" + more(said.n) + "}";
    const std::string plain = other_.row("app-2", "group: acme/chat");
    const auto at = made.more.find(plain);
    made.more.replace(at, plain.size(), other_.row("app-2", "group: " + said.others_group + more(said.other)));
    start(made);
  }
  std::string ask_about(const ClientKey& key, const std::string& model, const std::string& fields = "") {
    return result(ask_as(key, chat_body(model, kZero), fields));
  }
  double skipped(const std::string& reason) {
    return gateway().metrics().sum("sluice_cache_stores_skipped_total", {"reason=\"" + reason + "\""});
  }

 private:
  static std::string of(const std::string& inside) { return inside.empty() ? "" : "cache: {" + inside + "}"; }
  static std::string more(const std::string& inside) { return inside.empty() ? "" : ", " + of(inside); }
};

TEST_F(CacheOverrides, TimeToLive) {
  upstream_.on(kChat).json(chat_answer());
  start_with({.section = "ttl: 1h", .m = "ttl: 300ms", .other = "ttl: 1h"});
  for (const ClientKey* key : {&app_, &other_}) {
    EXPECT_EQ(ask_about(*key, "m"), "miss");
    EXPECT_EQ(ask_about(*key, "n"), "miss");
  }
  EXPECT_TRUE(eventually([&] { return ask_about(app_, "m") == "miss"; })) << "the model wins over the section";
  EXPECT_EQ(ask_about(app_, "n"), "hit") << "which holds for another model";
  EXPECT_EQ(ask_about(other_, "m"), "hit") << "and the key over the model";
}

TEST_F(CacheOverrides, HowLongARequestMayAskFor) {
  upstream_.on(kChat).json(chat_answer());
  start_with({.section = "ttl: 100ms, longest_ttl: 1h", .app = "longest_ttl: 200ms"});
  const std::string long_one = "x-sluice-cache-ttl: 1h\r\n";
  EXPECT_EQ(ask_about(other_, "m", long_one), "miss");
  EXPECT_EQ(ask_about(app_, "m", long_one), "miss");
  EXPECT_TRUE(eventually([&] { return ask_about(app_, "m", long_one) == "miss"; }));
  EXPECT_EQ(ask_about(other_, "m"), "hit");
}

TEST_F(CacheOverrides, F67Policy) {
  upstream_.on(kChat).json(chat_answer());
  const auto asks = [&](const ClientKey& key, const std::string& model) {
    std::string all;
    for (int i = 0; i < 2; ++i) all += result(ask_as(key, chat_body(model))) + " ";  // which is not deterministic
    return all;
  };
  start_with({.section = "policy: off", .n = "policy: all", .other = "policy: off"});
  EXPECT_EQ(asks(app_, "m"), "  ") << "it has no part in it";
  EXPECT_EQ(asks(app_, "n"), "miss hit ");
  EXPECT_EQ(asks(other_, "n"), "  ") << "what is off for a key is off";
  start_with({.m = "policy: off", .app = "policy: all"});
  EXPECT_EQ(asks(app_, "n"), "miss hit ");
  EXPECT_EQ(asks(app_, "m"), "  ") << "and for a model";
  EXPECT_EQ(asks(other_, "n"), "bypass bypass ");
  start_with({.section = "policy: all", .n = "policy: deterministic"});
  EXPECT_EQ(asks(app_, "m"), "miss hit ");
  EXPECT_EQ(asks(app_, "n"), "bypass bypass ");
}

TEST_F(CacheOverrides, SizeOfAnEntry) {
  upstream_.on(kChat).json(chat_answer(std::string(4000, 'x')));
  start_with({.m = "max_entry: 2KiB", .other = "max_entry: 8KiB"});
  const auto twice = [&](const ClientKey& key, const std::string& model) {
    ask_about(key, model);
    return ask_about(key, model);
  };
  EXPECT_EQ(twice(app_, "n"), "hit");
  EXPECT_EQ(twice(app_, "m"), "miss");
  EXPECT_EQ(skipped("too_large"), 2);
  EXPECT_EQ(twice(other_, "m"), "hit");
  now_on(kChat).stream(chat_stream({std::string(1500, 'x'), std::string(1500, 'y')}));
  streamed("\"seed\":1");
  EXPECT_EQ(result(streamed("\"seed\":1")), "miss") << "streams are measured as well";
  EXPECT_EQ(skipped("too_large"), 4);
}

TEST_F(CacheOverrides, ReasonsForTheEnd) {
  upstream_.on(kChat).stream({role_chunk(), text_chunk("x"), finish_chunk("length"), kDone});
  start_with({.m = "finish_reasons: [length]", .other = "finish_reasons: [stop]"});
  const auto twice = [&](const ClientKey& key, const std::string& model) {
    const std::string body = stream_body(model, kZero);
    ask_as(key, body);
    return result(ask_as(key, body));
  };
  EXPECT_EQ(twice(app_, "m"), "hit");
  EXPECT_EQ(twice(app_, "n"), "miss");
  EXPECT_EQ(twice(other_, "m"), "miss");
  EXPECT_EQ(skipped("finish_reason"), 4);
  now_on(kChat).json(chat_answer());
  ask_as(app_, chat_body("m", R"("temperature":0,"seed":1)"));
  EXPECT_EQ(result(ask_as(app_, chat_body("m", R"("temperature":0,"seed":1)"))), "miss") << "stop is not on its list";
}

TEST_F(CacheOverrides, CallsOfTools) {
  const std::string tools = std::string(kZero) + R"(,"tools":[{"type":"function","function":{"name":"f"}}])";
  upstream_.on(kChat).json(tool_call_answer("f", "{}"));
  start_with({.section = "finish_reasons: [stop, tool_calls]", .n = "tool_calls: true", .other = "tool_calls: false"});
  const auto twice = [&](const ClientKey& key, const std::string& model) {
    ask_as(key, chat_body(model, tools));
    return result(ask_as(key, chat_body(model, tools)));
  };
  EXPECT_EQ(twice(app_, "m"), "miss");
  EXPECT_EQ(twice(app_, "n"), "hit");
  EXPECT_EQ(twice(other_, "n"), "miss");
  EXPECT_EQ(skipped("tool_calls"), 4);
  now_on(kChat).stream(tool_call_stream());
  ask_as(app_, stream_body("m", tools + ",\"seed\":1"));
  EXPECT_EQ(result(ask_as(app_, stream_body("m", tools + ",\"seed\":1"))), "miss");
  EXPECT_EQ(skipped("tool_calls"), 6) << "in streams as well";
  const std::string hosted = std::string(kZero) + R"(,"web_search_options":{})";
  EXPECT_EQ(ask_as(app_, chat_body("m", hosted)).header("x-sluice-cache"), "bypass; reason=tools");
  EXPECT_EQ(result(ask_as(app_, chat_body("n", hosted))), "miss");
}

TEST_F(CacheOverrides, F63Scope) {
  upstream_.on(kChat).json(chat_answer());
  // What the second key gets for a question that the first one has paid for.
  const auto shared = [&](const Said& said, const std::string& model = "m") {
    start_with(said);
    EXPECT_EQ(ask_about(app_, model), "miss");
    const std::string got = ask_about(other_, model);
    EXPECT_EQ(ask_about(app_, model), "hit");
    return got;
  };
  EXPECT_EQ(shared({}), "miss");
  EXPECT_EQ(shared({.m = "scope: org"}), "hit");
  EXPECT_EQ(shared({.m = "scope: org"}, "n"), "miss") << "of that model alone";
  EXPECT_EQ(shared({.m = "scope: team"}), "miss") << "they are of two groups";
  EXPECT_EQ(shared({.m = "scope: team", .others_group = "acme/search"}), "hit");
  EXPECT_EQ(shared({.others_group = "acme/search"}), "miss");
  EXPECT_EQ(shared({.m = "scope: org", .others_group = "acne/search"}), "miss");
  EXPECT_EQ(shared({.m = "scope: org", .others_group = "\"\""}), "miss") << "one without a group shares with nobody";
  EXPECT_EQ(shared({.section = "scope: org", .app = "scope: key"}), "miss");
  EXPECT_EQ(shared({.section = "scope: org", .m = "scope: key"}), "miss");
  EXPECT_EQ(shared({.m = "scope: key", .app = "scope: org", .other = "scope: org"}), "hit");
  EXPECT_EQ(shared({.m = "scope: namespace, namespace: bots"}), "hit");
  const std::string bots = "scope: namespace, namespace: bots", cats = "scope: namespace, namespace: cats";
  EXPECT_EQ(shared({.app = bots, .other = bots}), "hit");
  EXPECT_EQ(shared({.app = bots, .other = cats}), "miss");
  EXPECT_EQ(shared({.section = bots, .other = cats}), "miss");
  EXPECT_EQ(shared({.app = bots}), "miss");
}

TEST_F(CacheOverrides, WhetherRequestsMaySayAnything) {
  upstream_.on(kChat).json(chat_answer());
  const std::string none = "cache-control: no-store\r\n";
  start_with({.m = "request_control: false", .other = "request_control: true"});
  EXPECT_EQ(ask_about(app_, "m", none), "miss");
  EXPECT_EQ(ask_about(app_, "m", none), "hit");
  EXPECT_EQ(ask_about(app_, "n", none), "bypass");
  EXPECT_EQ(ask_about(other_, "m", none), "bypass");
}

TEST_F(CacheOverrides, OlderAnswers) {
  upstream_.on(kChat).json(chat_answer("old"));
  start_with({.section = "ttl: 200ms", .m = "stale_if_error: 1h", .other = "stale_if_error: 0s"});
  for (const ClientKey* key : {&app_, &other_}) EXPECT_EQ(ask_about(*key, "m"), "miss");
  EXPECT_EQ(ask_about(app_, "n"), "miss");
  now_on(kChat).status(500).json(error_answer("down", "server_error", "down"));
  EXPECT_TRUE(eventually([&] { return ask_about(app_, "m") == "stale"; }));
  EXPECT_TRUE(eventually([&] { return ask_about(other_, "m") == "miss"; }));
  EXPECT_TRUE(eventually([&] { return ask_about(app_, "n") == "miss"; }));
}

}  // namespace
}  // namespace sluice::integration
