// What good files mean, and what holds of all files.

#include "sluice/config/load.hpp"

#include <algorithm>

#include "unit/config/support.hpp"
#include "unit/config/temporary_folder.hpp"

namespace sluice::config {
namespace {

Provider provider_of(std::string_view lines, const Variables& variables = {}) {
  auto loaded = load_good(in_upstream(lines), variables);
  return loaded.config.providers["p"];
}

TEST(Load, TwoLinesAreAWholeGateway) {
  auto loaded = load_good("providers: {p: {base_url: \"http://127.0.0.1:11434/v1\"}}\nmodels: {\"*\": p/*}\n");
  Config expected;
  Provider& provider = expected.providers["p"];
  provider.name = "p";
  provider.base_url = {false, "127.0.0.1", 11434, "/v1", {}};
  Model& model = expected.models.emplace_back();
  model.name = "*";
  model.targets = {target_of("p", "*")};
  EXPECT_EQ(loaded.config, expected);
  EXPECT_TRUE(loaded.notes.empty());
}

TEST(Load, EveryProblemIsFoundInOnePassInFileOrder) {
  auto problems = problems_of(
      "server:\n  listen: :80\n  wrokers: 2\ntimeouts: {connect: 5}\nproviders:\n  p: {base_url: ftp://x, dialect: "
      "opnai}\n"
      "  q: {api_keys: [sk-1, \"${NOPE}\"]}\nmodels: {m: r/x, m: p/x}\nextra: 1\n");
  std::vector<std::string> places;
  for (const Problem& problem : problems) {
    places.push_back(std::to_string(problem.line) + ":" + std::to_string(problem.column) + " " + problem.path);
  }
  std::vector<std::string> expected = {"2:11 server.listen",
                                       "3:3 server.wrokers",
                                       "4:21 timeouts.connect",
                                       "6:17 providers.p.base_url",
                                       "6:35 providers.p.dialect",
                                       "7:3 providers.q.base_url",
                                       "7:18 providers.q.api_keys[0]",
                                       "7:24 providers.q.api_keys[1]",
                                       "8:13 models.m",
                                       "8:18 models.m",
                                       "9:1 extra"};
  EXPECT_EQ(places, expected) << listing(problems);
}

TEST(Load, AProblemReadsAsFileLineColumnPathMessage) {
  EXPECT_EQ(to_string("a.yaml", {3, 5, "server.listen", "no host"}), "a.yaml:3:5: server.listen: no host");
  EXPECT_EQ(to_string("a.yaml", {1, 1, "", "the file is empty"}), "a.yaml:1:1: the file is empty");
  EXPECT_EQ(to_string("a.yaml", {0, 0, "", "does not exist"}), "a.yaml: does not exist");
}

TEST(Load, ProviderTimeoutsStartFromTheTopAndModelsKeepTheirOwn) {
  auto loaded = load_good(
      "models:\n  m: {target: p/x, timeouts: {total: 5s}}\n  n: p/x\nproviders:\n"
      "  p: {base_url: \"http://h\", timeouts: {connect: 7s}}\n  q: {base_url: \"http://h\"}\n"
      "timeouts: {connect: 1s, idle: 3s}\n");
  auto& config = loaded.config;
  EXPECT_EQ(config.providers["p"].timeouts.connect, 7s);
  EXPECT_EQ(config.providers["p"].timeouts.idle, 3s);
  EXPECT_EQ(config.providers["p"].timeouts.total, 10min);
  EXPECT_EQ(config.providers["q"].timeouts.connect, 1s);
  EXPECT_EQ(config.models[0].timeouts.total, 5s);
  EXPECT_EQ(config.models[0].timeouts.connect, std::nullopt);
  EXPECT_EQ(config.models[1].timeouts, TimeoutOverrides{});
}

TEST(Load, ModelsKeepTheOrderOfTheFileAndSplitAtTheFirstSlash) {
  auto loaded = load_good(in_models("  z: p/a/b\n  \"gpt-*\": p/*\n  meta/llama: {target: p/x, when_off: house/y}"));
  ASSERT_EQ(loaded.config.models.size(), 3U);
  EXPECT_EQ(loaded.config.models[0].targets, std::vector{target_of("p", "a/b")});
  EXPECT_EQ(loaded.config.models[1].name, "gpt-*");
  EXPECT_EQ(loaded.config.models[1].targets.at(0).model, "*");
  EXPECT_EQ(loaded.config.models[2].name, "meta/llama");
  EXPECT_EQ(loaded.config.models[2].targets, (std::vector{target_of("p", "x"), when_off("house", "y")}));
}

TEST(Load, AProviderReadsAllItsParts) {
  auto provider = provider_of(
      "    api_keys: [\"${A}\", \"${B:-}\"]\n    auth: {header: Api-Key, scheme: \"\"}\n"
      "    headers: {X-Org: \"org ${A}\", x-none: \"${NONE:-}\"}\n    paths: {chat: \"/d/{model}/chat\"}\n"
      "    tls: {verify: false}\n    pool: {max_idle: 0, idle_timeout: 1m}\n"
      "    quirks: {drop: [user], rename: {max_tokens: max_completion_tokens}, stream_usage: false}",
      {{"A", "key-a"}, {"B", "key-b"}});
  EXPECT_EQ(provider.api_keys, (std::vector{Secret("key-a"), Secret("key-b")}));
  EXPECT_EQ(provider.auth_header, "api-key");
  EXPECT_EQ(provider.auth_scheme, "");
  ASSERT_EQ(provider.headers.size(), 1U) << "an empty value leaves its header out";
  EXPECT_EQ(provider.headers[0].first, "x-org");
  EXPECT_EQ(provider.headers[0].second.reveal(), "org key-a");
  EXPECT_EQ(provider.paths[Endpoint::kChat], "/d/{model}/chat");
  EXPECT_EQ(provider.paths[Endpoint::kEmbeddings], "/embeddings");
  EXPECT_FALSE(provider.tls_verify);
  EXPECT_EQ(provider.pool, (Pool{0, 1min}));
  EXPECT_EQ(provider.quirks.drop, std::vector<std::string>{"user"});
  EXPECT_EQ(provider.quirks.rename.at(0).second, "max_completion_tokens");
  EXPECT_FALSE(provider.quirks.stream_usage);
}

TEST(Load, AProviderWhoseKeysAreAllEmptyIsOff) {
  auto lines = "    api_keys: [\"${A:-}\", \"${B}\"]";
  auto loaded = load_good(in_upstream(lines), {{"B", ""}});
  EXPECT_FALSE(loaded.config.providers["p"].on);
  EXPECT_EQ(loaded.config.providers["p"].off_reason, "A, B are empty");
  EXPECT_EQ(loaded.notes, std::vector<std::string>{"provider p is off: A, B are empty"});

  loaded = load_good(in_upstream(lines), {{"A", ""}, {"B", "key"}});
  EXPECT_TRUE(loaded.config.providers["p"].on);
  EXPECT_EQ(loaded.config.providers["p"].api_keys, std::vector{Secret("key")});
  EXPECT_EQ(loaded.notes, std::vector<std::string>{"provider p does without a key: A is empty"});
}

TEST(Load, AProviderThatListsNoKeysIsOn) {
  EXPECT_TRUE(provider_of("").on);
  EXPECT_TRUE(provider_of("    api_keys: []").on);
}

TEST(Load, RisksThatAreAllowedAreNoted) {
  auto notes = load_good(in_upstream("    tls: {verify: false}")).notes;
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_NE(notes[0].find("TLS VERIFICATION IS OFF"), std::string::npos);
  notes = load_good(in_provider("    base_url: http://h.test\n    api_keys: [\"${K}\"]"), {{"K", "k"}}).notes;
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_NE(notes[0].find("travels in the clear"), std::string::npos);
}

std::vector<std::string> notes_on(const std::string& url, const std::string& allowed = "[]") {
  return load_good(in_provider("    base_url: " + url + "\n    allow_addresses: " + allowed)).notes;
}

TEST(Load, F28NamesThatUsuallyLeadInsideAreNoted) {
  for (const char* url : {"http://ollama:11434/v1", "http://h.local", "https://gpu.internal", "http://nas.lan",
                          "http://llm.default.svc", "http://llm.default.svc.cluster.local", "http://LLM.Local"}) {
    const auto notes = notes_on(url);
    ASSERT_EQ(notes.size(), 1U) << url;
    EXPECT_TRUE(notes[0].starts_with("provider p: names ")) << notes[0];
    EXPECT_NE(notes[0].find("allow_addresses: [10.0.0.0/8, "), std::string::npos) << notes[0];
    EXPECT_TRUE(notes_on(url, "[172.16.0.0/12]").empty()) << url << ": the operator has said where it leads";
  }
  EXPECT_NE(notes_on("http://llm.default.svc.cluster.local").at(0).find("end in .cluster.local "), std::string::npos);
  EXPECT_NE(notes_on("http://ollama").at(0).find("without a dot "), std::string::npos);
}

TEST(Load, F28OtherHostsAreNotNoted) {
  for (const char* url : {"https://api.openai.com/v1", "http://localhost:11434", "http://127.0.0.1", "http://10.0.0.7",
                          "http://[::1]", "http://[fd00::5]", "https://local.example", "https://notlocal.example",
                          "https://lan.svc.example", "https://h.mylan"}) {
    EXPECT_TRUE(notes_on(url).empty()) << url << ": " << notes_on(url).at(0);
  }
}

TEST(Load, F28WhatTheNoteSuggestsIsGood) {
  const std::string note = notes_on("http://ollama").at(0);
  const auto suggested = load_good(in_provider("    base_url: http://ollama\n    " + note.substr(note.find("allow_"))));
  EXPECT_EQ(suggested.config.providers.at("p").allow_addresses.size(), 3U);
  EXPECT_TRUE(suggested.notes.empty());
}

TEST(Load, LoopbackListenersAreQuietAndMayShareThePortZero) {
  for (auto listen : {"127.0.0.1:0", "[::1]:0", "localhost:0", "127.8.9.1:8080"}) {
    auto text = "server: {listen: \"" + std::string(listen) + "\", admin: \"127.0.0.1:0\"}";
    EXPECT_TRUE(load_good(with_top(text)).notes.empty()) << listen;
  }
}

TEST(Load, AnEmptySectionKeepsItsDefaults) {
  EXPECT_EQ(load_good(with_top("server:\nlimits:\ntimeouts: {}\ndns:\ntrace:\nlog:")).config.limits, Limits{});
}

TEST(Load, ARotationIsReadWhole) {
  const auto config =
      load_good(with_top("trace: {path: t, queue_bytes: 1MiB, rotate: {size: 0B, age: 2h, keep: 7}}")).config;
  Trace trace;
  trace.path = "t";
  trace.queue_bytes = 1 << 20;
  trace.rotate = {.size = 0, .age = 2h, .keep = 7};
  EXPECT_EQ(config.trace, trace);
  EXPECT_EQ(load_good(with_top("trace: {rotate: {size: 64KiB, age: 0s}}")).config.trace.rotate,
            (Rotate{.size = 64 * 1024, .age = 0s, .keep = 30}));
}

TEST(Load, ASampleIsReadWhole) {
  const auto trace =
      load_good(with_top("trace: {sample: {rate: 2.5%, slow: 3s, slow_first_token: 0s, cost: 1 USD}}")).config.trace;
  EXPECT_EQ(trace.sample,
            (Sampling{.rate = 25'000, .slow = 3s, .slow_first_token = 0s, .cost = Money::nanodollars(1'000'000'000)}));
  EXPECT_EQ(load_good(with_top("metrics: {max_series: 20000}")).config.metrics.max_series, 20'000U);
}

TEST(Load, AliasesAreValuesThatAreWrittenOnce) {
  auto loaded = load_good(
      "timeouts: &slow {total: 1h}\nproviders: {p: {base_url: \"http://h\", timeouts: *slow}}\n"
      "models: {m: {target: p/x, timeouts: *slow}}\n");
  EXPECT_EQ(loaded.config.models.at(0).timeouts.total, 1h);
}

TEST(Load, LineEndingsByteOrderMarksAndDocumentMarksAreAccepted) {
  std::string text = "---\nserver: {workers: 3}\nproviders: {p: {base_url: \"http://h\"}}\nmodels: {m: p/x}\n...\n";
  EXPECT_EQ(load_good("\xEF\xBB\xBF" + text).config.server.workers, 3U);
  std::string dos;
  for (char c : text) dos += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_EQ(load_good(dos).config.server.workers, 3U);
  EXPECT_EQ(problems_of("\xEF\xBB\xBF"
                        "a: b\n")
                .at(0)
                .column,
            1);
}

TEST(Load, FilesResolveTheirCaFileFromTheirOwnFolder) {
  TemporaryFolder folder;
  folder.write("ca.pem", "x");
  auto file = folder.write("gateway.yaml", in_upstream("    tls: {ca_file: ca.pem}"));
  auto loaded = load_file(file, environment_of({}));
  ASSERT_TRUE(loaded.has_value()) << listing(loaded.error());
  EXPECT_EQ(loaded->config.providers["p"].ca_file, folder.path() + "/ca.pem");
}

TEST(Load, AFileThatCannotBeReadHasNoLine) {
  TemporaryFolder folder;
  auto missing = load_file(folder.path() + "/none.yaml", environment_of({}));
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(to_string("none.yaml", missing.error().at(0)), "none.yaml: does not exist");
  auto directory = load_file(folder.path(), environment_of({}));
  ASSERT_FALSE(directory.has_value());
  EXPECT_EQ(directory.error().at(0).line, 0);
}

TEST(Load, AnEndlessFileIsRefusedAtTheLimit) {
  auto loaded = load_file("/dev/zero", environment_of({}));
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().at(0).message, "the file is larger than 1MiB");
}

TEST(Load, TheProcessEnvironmentTellsUnsetFromEmpty) {
  ASSERT_EQ(setenv("SLUICE_CONFIG_TEST", "", 1), 0);
  EXPECT_EQ(process_environment()("SLUICE_CONFIG_TEST"), "");
  ASSERT_EQ(unsetenv("SLUICE_CONFIG_TEST"), 0);
  EXPECT_EQ(process_environment()("SLUICE_CONFIG_TEST"), std::nullopt);
}

}  // namespace
}  // namespace sluice::config
