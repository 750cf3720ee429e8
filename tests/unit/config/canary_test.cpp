// No message ever holds what the environment holds, and no damaged file does worse than be refused.

#include <fstream>
#include <random>
#include <sstream>

#include "support/paths.hpp"
#include "unit/config/support.hpp"

namespace sluice::config {
namespace {

constexpr std::string_view kCanary = "cAnArY-5f1e";

std::string all_words(std::string_view yaml, const Variables& variables) {
  auto loaded = load_text(yaml, environment_of(variables));
  if (!loaded) return listing(loaded.error());
  std::string out;
  for (const std::string& note : loaded->notes) out += note + "\n";
  for (const auto& [name, provider] : loaded->config.providers) out += provider.off_reason;
  return out;
}

TEST(Canary, NoProblemRepeatsAValueOfTheEnvironment) {
  const std::string places[] = {
      with_top("server: {listen: \"${C}\", admin: \"${C}\", workers: \"${C}\", drain_grace: \"${C}\"}"),
      with_top("limits: {body_bytes: \"${C}\", header_fields: \"${C}\", head_timeout: \"${C}\"}"),
      with_top("log: {level: \"${C}\", requests: \"${C}\"}"),
      in_provider("    dialect: \"${C}\"\n    base_url: \"${C}\""),
      in_provider("    base_url: \"https://u:${C}@h/v1\""),
      in_provider("    base_url: \"https://h/v1?key=${C} x\""),
      in_upstream("    api_keys: [\"x${C}\"]"),
      in_upstream("    api_keys: [\"${C} \", {a: \"${C}\"}]"),
      in_upstream("    headers: {x-a: \"${C}\\n\", host: \"${C}\"}"),
      in_upstream("    auth: {header: \"${C} x\", scheme: \"${C} x\"}"),
      in_upstream("    paths: {chat: \"${C}\"}\n    tls: {ca_file: \"/none/${C}\", verify: \"${C}\"}"),
      in_upstream("    pool: {max_idle: \"${C}\"}\n    quirks: {drop: [\"${C}\", \"${C}\"], stream_usage: \"${C}\"}"),
      with_top("redis: {url: \"redis://${C}:${C}@${C} x:1/${C}\", prefix: \"${C} \", deadline: \"${C}\"}"),
      with_top("redis: {url: \"${C}\"}"),
      with_top("redis: {sentinel: {master: m, endpoints: [\"${C} x\"]}, password: \"x${C}\", database: \"${C}\"}"),
      with_top("alerts: {webhook: \"https://u:${C}@h/${C}\", secret: \"${C}${C}\", attempts: \"${C}\"}"),
      with_top("alerts: {webhook: \"https://h.test/${C} \", secret: \"${C}\"}"),
      with_top("keys: {file: \"/none/${C}\", list: [{name: \"${C}\", hash: \"${C}\", expires: \"${C}\", priority: "
               "\"${C}\"}]}"),
      with_top(
          "groups: {g: {tags: {a: \"${C}${C}${C}${C}${C}${C}\"}, limits: {requests: \"${C}\", budget: \"${C}\"}}}"),
      with_top("prices: {file: \"/none/${C}\", rows: [{model: m, input: \"${C}\", output: \"${C}\", from: \"${C}\"}]}"),
      with_top("auth: {user_headers: [\"${C} x\"]}\nadmission: {concurrency: \"${C}\", lease: \"${C}\"}"),
      in_models("  m: \"${C}\"\n  n: \"${C}/x\"\n  o: {target: \"${C}/*x\", when_off: \"p/${C}*\"}"),
  };
  for (const std::string& yaml : places) {
    std::string words = all_words(yaml, {{"C", std::string(kCanary)}});
    EXPECT_NE(words, "") << yaml;
    EXPECT_EQ(words.find(kCanary), std::string::npos) << words;
  }
}

TEST(Canary, NoProblemRepeatsABadKey) {
  for (std::string tail : {" ", "\n", "\t", "\x01", "\xff", "\r\nx: y"}) {
    Variables variables{{"C", std::string(kCanary) + tail}};
    for (auto line : {"    api_keys: [\"${C}\"]", "    headers: {x-a: \"${C}\"}"}) {
      std::string words = all_words(in_upstream(line), variables);
      EXPECT_NE(words, "");
      EXPECT_EQ(words.find(kCanary), std::string::npos) << words;
    }
  }
}

TEST(Canary, NoProblemRepeatsAKeyThatStandsInTheFile) {
  std::string key(kCanary);
  for (const std::string& lines :
       {"    api_keys: [" + key + "]", "    api_keys: " + key, "    api_keys: [\"${NOPE:-" + key + "}\"]",
        "    api_keys: [*" + key + "]", "    api_keys: [\"" + key, "    headers: {host: " + key + "}",
        "    headers: {x-a: \"" + key + "${\"}"}) {
    std::string words = all_words(in_upstream(lines), {});
    EXPECT_NE(words, "");
    EXPECT_EQ(words.find(key), std::string::npos) << words;
  }
}

TEST(Canary, NoNoteRepeatsAKey) {
  std::string words = all_words(
      in_provider("    base_url: http://h\n    api_keys: [\"${C}\", \"${EMPTY:-}\"]\n    headers: {x-a: \"${C}\"}"),
      {{"C", std::string(kCanary)}});
  EXPECT_NE(words, "");
  EXPECT_EQ(words.find(kCanary), std::string::npos) << words;
}

TEST(Canary, NoTextOfTheFileReachesATerminalRaw) {
  std::string words = all_words(with_top("log: {level: \"\\x1b[2J\"}\n\"\\x1b[2J\": 1"), {});
  EXPECT_NE(words, "");
  EXPECT_EQ(words.find('\x1b'), std::string::npos);
}

std::string example() {
  std::ifstream stream(support::source_dir() + "/config/gateway.example.yaml");
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

void expect_orderly(const std::string& text) {
  for (const Problem& problem : problems_of(text)) {
    ASSERT_GE(problem.line, 1) << text;
    ASSERT_GE(problem.column, 1) << text;
    ASSERT_NE(problem.message, "") << text;
  }
}

TEST(DamagedFile, IsReadOrRefusedAtManyLengthsOfAHalfWrittenFile) {
  std::string text = example();
  std::size_t first_good = text.find("models:");
  for (std::size_t length = 0; length < text.size(); length += 7) {
    expect_orderly(text.substr(0, length));
    if (length < first_good) {
      ASSERT_FALSE(problems_of(text.substr(0, length)).empty()) << length;
    }
  }
}

TEST(DamagedFile, IsReadOrRefusedAfterRandomEdits) {
  using namespace std::string_view_literals;
  constexpr auto kBytes = "\0\t\n\r :-,?[]{}#&*!|>'\"%@`$~<=x0\x04\x7f\x80\xff"sv;
  std::mt19937 random(20240601);  // the same edits every time
  const std::string good = example();
  for (int round = 0; round < 1500; ++round) {
    std::string text = good;
    for (int edit = 0; edit < 1 + round % 4; ++edit) {
      std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = kBytes[random() % kBytes.size()];
          break;
        case 1:
          text.erase(at, 1 + random() % 40);
          break;
        default:
          text.insert(at, text.substr(random() % text.size(), random() % 60));
      }
    }
    expect_orderly(text);
  }
}

}  // namespace
}  // namespace sluice::config
