// keys.file: one JSON object per line.

#include <deque>
#include <nlohmann/json.hpp>
#include <random>

#include "config/json_line.hpp"
#include "unit/config/support.hpp"
#include "unit/config/temporary_folder.hpp"

namespace sluice::config {
namespace {

std::string line_of(const std::string& name, std::string_view id, const std::string& more = "") {
  return R"({"name":")" + name + R"(","hash":")" + hash_with(id) + '"' + more + "}\n";
}

class KeysFile : public testing::Test {
 protected:
  std::expected<Loaded, std::vector<Problem>> load(const std::string& lines, const std::string& more = "") {
    folder_.write("keys.jsonl", lines);
    const auto file = folder_.write("gateway.yaml", with_top("keys: {file: keys.jsonl" + more + "}"));
    return load_file(file, environment_of({{"WHERE", "here"}}));
  }
  // The problems without the folder they are in.
  std::string problems(const std::string& lines, const std::string& more = "") {
    const auto loaded = load(lines, more);
    if (loaded) return "";
    std::string out;
    for (const Problem& problem : loaded.error()) out += to_string(folder_.path() + "/gateway.yaml", problem) + "\n";
    const std::string prefix = folder_.path() + "/";
    for (auto at = out.find(prefix); at != out.npos; at = out.find(prefix)) out.erase(at, prefix.size());
    return out;
  }

  TemporaryFolder folder_;
};

TEST_F(KeysFile, HoldsTheMembersOfAListItem) {
  const auto loaded = load(
      R"( { "name" : "a" , "hash" : ")" + hash_with("aaaaaaaaaaaa") + R"(", "enabled": false, "group": "acme/x",)" +
      R"( "models": ["m"], "expires": "2026-12-31", "tags": {"feature": "\u00fcber\"${WHERE}"},)" +
      R"( "limits": {"requests": ["1/s", {"limit": "5/min", "mode": "observe"}], "concurrency": 5}} )" + "\n");
  ASSERT_TRUE(loaded.has_value()) << listing(loaded.error());
  const Key& key = loaded->config.keys.at(0);
  EXPECT_EQ(key.name, "a");
  EXPECT_EQ(key.group, "acme/x");
  EXPECT_FALSE(key.enabled);
  EXPECT_TRUE(key.expires.has_value());
  EXPECT_EQ(key.models, std::vector<std::string>{"m"});
  EXPECT_EQ(key.tags, (Tags{{"feature", "über\"here"}}));
  EXPECT_EQ(key.limits.rates.size(), 2U);
  EXPECT_EQ(key.limits.concurrency, (ConcurrencyLimit{5}));
  EXPECT_EQ(loaded->files, std::vector{folder_.path() + "/keys.jsonl"});
}

TEST_F(KeysFile, StandsBesideAListAndMayHaveEmptyLines) {
  const auto loaded =
      load("\n" + line_of("a", "aaaaaaaaaaaa") + "  \t\r\n" + line_of("b", "bbbbbbbbbbbb", ",\"group\":null"),
           ", list: [{name: c, hash: \"" + hash_with("cccccccccccc") + "\"}]");
  ASSERT_FALSE(loaded.has_value()) << "null is no group";
  const auto good = load("\n" + line_of("a", "aaaaaaaaaaaa") + "  \t\r\n" + line_of("b", "bbbbbbbbbbbb"),
                         ", list: [{name: c, hash: \"" + hash_with("cccccccccccc") + "\"}]");
  ASSERT_TRUE(good.has_value()) << listing(good.error());
  ASSERT_EQ(good->config.keys.size(), 3U);
  EXPECT_EQ(good->config.keys[0].name, "a");
  EXPECT_EQ(good->config.keys[1].name, "b");
  EXPECT_EQ(good->config.keys[2].name, "c");
}

TEST_F(KeysFile, AnEmptyOneHasNoKeys) {
  const auto loaded = load("");
  ASSERT_TRUE(loaded.has_value());
  EXPECT_TRUE(loaded->config.has_keys);
  EXPECT_TRUE(loaded->config.keys.empty());
}

TEST_F(KeysFile, ProblemsHaveItsNameAndTheirPlace) {
  EXPECT_EQ(problems(line_of("a", "aaaaaaaaaaaa") + R"({"name":"b","hash":"sk-secret"})" + "\n" +
                     R"({"name":"c d","grup":"x","hash":")" + hash_with("cccccccccccc") + "\"}\n"),
            "keys.jsonl:2:20: hash: a key must not stand in the file, only its hash: run `sluice key new` for a new "
            "key, or `sluice key hash` for one made before, and paste what it prints\n"
            "keys.jsonl:3:9: name: a key's name is 1 to 64 of A-Z, a-z, 0-9, \".\", \"_\" and \"-\"\n"
            "keys.jsonl:3:15: grup: unknown key; did you mean \"group\"?\n");
  EXPECT_EQ(problems("{\"name\":\"a\",\"name\":\"b\",\"hash\":\"" + kHash + "\"}"),
            "keys.jsonl:1:13: name: duplicate key; it is already on line 1\n");
  EXPECT_EQ(problems("{}\n[]"),
            "keys.jsonl:1:1: hash: is missing; run `sluice key new` and paste what it prints\n"
            "keys.jsonl:1:1: name: is missing; expected a name that no other key has\n"
            "keys.jsonl:2:1: expected a map, found a list\n");
}

TEST_F(KeysFile, EqualNamesAndIdsNameBothPlaces) {
  EXPECT_EQ(problems(line_of("a", "aaaaaaaaaaaa") + line_of("a", "bbbbbbbbbbbb") + line_of("b", "aaaaaaaaaaaa"),
                     ", list: [{name: a, hash: \"" + kHash + "\"}]"),
            "gateway.yaml:1:40: keys.list[0].name: the key at keys.jsonl:1:9 has this name already\n"
            "keys.jsonl:2:9: name: the key at keys.jsonl:1:9 has this name already\n"
            "keys.jsonl:3:20: hash: the key at keys.jsonl:1:20 has this id already\n");
}

TEST_F(KeysFile, OneThatCannotBeReadIsAProblemOfItsName) {
  folder_.write("gateway.yaml", with_top("keys: {file: none.jsonl}"));
  const auto loaded = load_file(folder_.path() + "/gateway.yaml", environment_of({}));
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(listing(loaded.error()), "x.yaml:1:14: keys.file: \"none.jsonl\" is not a file\n");
  EXPECT_EQ(problems_of(with_top("keys: {file: /}")).at(0).message, "\"/\" is not a file");
  EXPECT_EQ(problems_of(with_top("keys: {file: /dev/zero}")).at(0).message, "\"/dev/zero\" is not a file");
  EXPECT_EQ(problems_of(with_top("keys: {file: \"${E}\"}"), {{"E", ""}}).at(0).message,
            "\"${E}\" is empty; expected a file, or \"\" for none");
}

TEST_F(KeysFile, IsPlainText) {
  EXPECT_EQ(problems(line_of("a", "aaaaaaaaaaaa") + "{\"name\": \"\xFF\"}"), "keys.jsonl:2:11: not valid UTF-8\n");
  EXPECT_EQ(problems(std::string("{\0}", 3)),
            "keys.jsonl:1:2: control character 0x00; a configuration is plain text\n");
}

TEST_F(KeysFile, NotMoreProblemsAreToldThanAnybodyReads) {
  std::string lines;
  for (int i = 0; i < 500; ++i) lines += "{\n";
  const auto loaded = load(lines);
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().size(), 100U);
}

struct Syntax {
  std::string line;
  int column;
  std::string message;
};

TEST(JsonLine, TellsWhatIsWrongWhere) {
  const Syntax cases[] = {
      {"{", 2, "expected a name in double quotes"},
      {"{name:1}", 2, "expected a name in double quotes"},
      {"{\"a\"}", 5, "expected a colon"},
      {"{\"a\":}", 6, "expected a value"},
      {"{\"a\":1,}", 8, "expected a name in double quotes"},
      {"{\"a\":1 \"b\":2}", 8, "expected a comma or }"},
      {"[1,]", 4, "expected a value"},
      {"[1 2]", 4, "expected a comma or ]"},
      {"{} {}", 4, "more behind the end"},
      {"{\"a\":\"x", 8, "a text is not closed"},
      {"{\"a\":\"x\\", 9, "no such escape"},
      {R"({"a":"\x"})", 8, "no such escape"},
      {R"({"a":"\u12"})", 11, "expected four hexadecimal digits"},
      {R"({"a":"\ud800"})", 13, "half of a surrogate pair"},
      {R"({"a":"\udc00"})", 13, "half of a surrogate pair"},
      {R"({"a":"\ud800\u0041"})", 19, "half of a surrogate pair"},
      {"{\"a\":\"\t\"}", 7, "a control character in a text"},
      {"True", 1, "expected a value"},
      {"01", 1, "expected a value"},
      {"1.", 1, "expected a value"},
      {"-", 1, "expected a value"},
      {"1e", 1, "expected a value"},
      {"+1", 1, "expected a value"},
      {"nul", 1, "expected a value"},
      {"", 1, "expected a value"},
      {std::string(40, '['), 33, "nested deeper than 32 levels"},
  };
  for (const Syntax& one : cases) {
    std::deque<Node> nodes;
    const auto read = parse_json_line(one.line, 7, nodes);
    ASSERT_FALSE(read.has_value()) << one.line;
    EXPECT_EQ(read.error().line, 7);
    EXPECT_EQ(read.error().column, one.column) << one.line;
    EXPECT_TRUE(read.error().message.starts_with("JSON syntax: " + one.message)) << read.error().message;
  }
}

TEST(JsonLine, ReadsEveryKindOfValueWithItsPlace) {
  std::deque<Node> nodes;
  const auto root = parse_json_line(
      R"( {"t": "a\"\\\/\b\f\n\r\t\u0041\u20ac\ud83d\ude00", "n": [-0.5e+3, 0, true, false, null], "m": {}} )", 1,
      nodes);
  ASSERT_TRUE(root.has_value());
  EXPECT_EQ(root->at.column, 2);
  ASSERT_EQ(root->node->entries.size(), 3U);
  EXPECT_EQ(root->node->entries[0].key.at.column, 3);
  EXPECT_EQ(root->node->entries[0].value.at.column, 8);
  EXPECT_EQ(root->node->entries[0].value.node->text, "a\"\\/\b\f\n\r\tA€😀");
  const auto& items = root->node->entries[1].value.node->items;
  ASSERT_EQ(items.size(), 5U);
  EXPECT_EQ(items[0].node->text, "-0.5e+3");
  EXPECT_EQ(items[3].node->text, "false");
  EXPECT_EQ(items[4].node->kind, Node::Kind::kNull);
  EXPECT_EQ(root->node->entries[2].value.node->kind, Node::Kind::kMap);
}

TEST(JsonLine, IsReadOrRefusedAtEveryLength) {
  const std::string line = R"({"name":"\ud83d\ude00 é","limits":{"requests":[{"limit":"1/s"},-1.5e-7,true]},"x":null})";
  for (std::size_t length = 0; length < line.size(); ++length) {
    std::deque<Node> nodes;
    const auto read = parse_json_line(std::string_view(line).substr(0, length), 1, nodes);
    ASSERT_FALSE(read.has_value()) << length;
    ASSERT_GE(read.error().column, 1);
    ASSERT_LE(read.error().column, static_cast<int>(length) + 1);
  }
}

// What another reader of JSON says of a text; nothing: it balks at what is no matter of syntax.
std::optional<bool> verdict_of_nlohmann(const std::string& text) {
  try {
    return !nlohmann::json::parse(text).is_discarded();
  } catch (const nlohmann::json::parse_error&) {
    return false;
  } catch (const nlohmann::json::out_of_range&) {
    return std::nullopt;  // 1e999
  }
}

TEST(JsonLine, TakesWhatAnotherReaderTakes) {
  const std::string good = R"({"name":"\ud83d\ude00\n é","l":{"r":[{"limit":"1/s"},-1.5e-7,0,true,false]},"x":null} )";
  constexpr std::string_view kBytes = "\"\\{}[],:0123456789.eE+-truefalsn dDuU\t\x01";
  std::mt19937 random(20261125);
  int taken = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = good;
    for (int edit = 0; edit < 1 + round % 3; ++edit) {
      const std::size_t at = random() % text.size();
      if (random() % 3 == 0) {
        text.erase(at, 1 + random() % 4);
      } else if (random() % 2 == 0) {
        text[at] = kBytes[random() % kBytes.size()];
      } else {
        text.insert(at, 1, kBytes[random() % kBytes.size()]);
      }
      if (text.empty()) text = " ";
    }
    const auto expected = verdict_of_nlohmann(text);
    if (!expected || find_bad_utf8(text)) continue;
    std::deque<Node> nodes;
    const bool ours = parse_json_line(text, 1, nodes).has_value();
    ASSERT_EQ(ours, *expected) << text;
    taken += ours ? 1 : 0;
  }
  EXPECT_GT(taken, 1000);
  EXPECT_LT(taken, 19'000);
}

}  // namespace
}  // namespace sluice::config
