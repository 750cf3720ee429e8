// Files that are wrong before their values matter: syntax, bounds, keys, node types.

#include <string>

#include "unit/config/support.hpp"

namespace sluice::config {
namespace {

using namespace std::string_literals;

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

std::string alias_bomb() {
  std::string out = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c <= 'f'; ++c) {
    out += c + ": &"s + c + " [" + repeated("*"s + static_cast<char>(c - 1) + ", ", 10) + "]\n";
  }
  return out;
}

std::string deep_by_alias() {
  std::string out = "a: &a " + repeated("[", 20) + repeated("]", 20) + "\n";
  return out + "b: " + repeated("[", 20) + "*a" + repeated("]", 20) + "\n";
}

const BadCase kCases[] = {
    {"nothing", "", 1, 1, "", "the file is empty"},
    {"only_comments", "# hello\n\n", 1, 1, "", "the file is empty"},
    {"only_a_document_start", "---\n", 1, 1, "", "the file is empty"},
    {"a_list", "- a\n", 1, 1, "", "expected a map, found a list"},
    {"a_text", "hello\n", 1, 1, "", "expected a map, found text"},
    {"nul_byte", "server:\n  listen: \0"s, 2, 11, "", "control character 0x00"},
    {"end_of_transmission_byte", with_top("log: {}\x04"), 1, 8, "", "control character 0x04"},
    {"escape_byte", "a: \x1b[2J\n", 1, 4, "", "control character 0x1b"},
    {"latin_1", "# caf\xe9\na: b\n", 1, 6, "", "not valid UTF-8"},
    {"utf_16",
     "\xff\xfe"
     "a",
     1, 1, "", "not valid UTF-8"},
    {"overlong_utf_8", "a: \xc0\xaf\n", 1, 4, "", "not valid UTF-8"},
    {"cut_utf_8", "a: \xe2\x82", 1, 4, "", "not valid UTF-8"},
    {"too_large", std::string(1024 * 1024 + 1, '#'), 1, 1, "", "larger than 1MiB"},
    {"tab_as_indent", "server:\n\tlisten: x\n", 2, 8, "", "spaces, not tabs"},
    {"tab_after_spaces", "server:\n  listen: 127.0.0.1:1\n\tadmin: x\n", 3, 1, "", "spaces, not tabs"},
    {"missing_space_after_dash", "a: [b\n", 2, 1, "", "YAML syntax"},
    {"unclosed_map", "server: {listen: x\n", 2, 1, "", "YAML syntax: end of map flow not found"},
    {"unclosed_quote", "server: {listen: \"127.0.0.1", 1, 28, "", "a quoted text is not closed"},
    {"unclosed_quote_at_the_end_of_a_line", "providers:\n  p: \"hello\n", 3, 1, "", "a quoted text is not closed"},
    {"unclosed_single_quote", "server: 'x\n", 2, 1, "", "a quoted text is not closed"},
    {"nothing_for_a_key", with_top("") + "? \n", 5, 1, "", "a key must be text"},
    {"bad_indent", "server:\n    listen: 127.0.0.1:1\n  admin: x\n", 3, 3, "", "YAML syntax"},
    {"unknown_escape", "a: \"\\q\"\n", 1, 7, "", "YAML syntax: unknown escape character"},
    {"unquoted_reference_in_a_list", "a: [${X}]\n", 1, 6, "", "a reference needs quotes"},
    {"undefined_alias", "a: *b\n", 1, 4, "", "the referenced anchor is not defined"},
    {"second_document", "a: 1\n---\nb: 1\n", 2, 1, "", "a second document"},
    {"text_after_the_end", "a: 1\n...\nb: 1\n", 3, 1, "", "a second document"},
    {"alias_bomb", alias_bomb(), 5, 36, "", "more than 100000 values"},
    {"alias_cycle", "a: &a [*a]\n", 1, 8, "", "stands inside what it stands for"},
    {"deep_lists", repeated("[", 5000), 1, 17, "", "nested deeper than 32 levels"},
    {"deep_block_lists", repeated("- ", 5000), 1, 65, "", "nested deeper than 32 levels"},
    {"deep_maps", repeated("{a: ", 5000), 1, 122, "", "nested deeper than 32 levels"},
    {"deep_by_alias", deep_by_alias(), 2, 24, "", "nested deeper than 32 levels"},
    {"many_nodes", "[" + repeated("a,", 120'000) + "]", 1, 200'000, "", "more than 100000 values"},

    {"unknown_section", with_top("sever: {}"), 1, 1, "sever", "did you mean \"server\"?"},
    {"unknown_section_without_likeness", with_top("postgres: {}"), 1, 1, "postgres", "expected server, limits"},
    {"unknown_key", with_top("server:\n  lisen: 127.0.0.1:1"), 2, 3, "server.lisen", "did you mean \"listen\"?"},
    {"unknown_key_by_prefix", with_top("server: {drain: 1s}"), 1, 10, "server.drain", "did you mean \"drain_grace\"?"},
    {"unknown_key_of_a_provider", in_upstream("    api_key: [x]"), 5, 5, "providers.p.api_key", "\"api_keys\"?"},
    {"unknown_key_of_a_part", in_upstream("    tls: {verfy: true}"), 5, 11, "providers.p.tls.verfy", "\"verify\"?"},
    {"unknown_key_of_a_model", in_models("  m: {target: p/x, whenoff: p/x}"), 5, 20, "models.m.whenoff",
     "\"when_off\"?"},
    {"unknown_endpoint", in_upstream("    paths: {chats: /c}"), 5, 13, "providers.p.paths.chats", "\"chat\"?"},
    {"unknown_timeout", with_top("timeouts: {read: 1s}"), 1, 12, "timeouts.read", "expected connect, first_byte"},
    {"merge_key", with_top("log:\n  <<: {level: info}"), 2, 3, "log.\"<<\"", "merge keys are not supported"},
    {"duplicate_section", with_top("log: {}\nlog: {}"), 2, 1, "log", "duplicate key; it is already on line 1"},
    {"duplicate_key", with_top("log:\n  level: info\n  level: info"), 3, 3, "log.level", "already on line 2"},
    {"duplicate_key_by_quotes", with_top("log: {level: info, \"level\": info}"), 1, 20, "log.level", "duplicate key"},
    {"duplicate_provider", "models: {m: p/x}\nproviders:\n  p: {base_url: \"http://h\"}\n  p: {}\n", 4, 3,
     "providers.p", "duplicate key"},
    {"duplicate_model", in_models("  \"gpt-*\": p/x\n  'gpt-*': p/y"), 6, 3, "models.\"gpt-*\"", "already on line 5"},
    {"duplicate_key_deep_down", in_upstream("    tls: {verify: true, verify: true}"), 5, 25, "providers.p.tls.verify",
     "duplicate key"},
    {"list_as_key", with_top("log:\n  ? [a]\n  : b"), 2, 5, "log", "a key must be text"},
    {"null_as_key", with_top("log:\n  ~: b"), 2, 3, "log", "a key must be text"},
    {"control_character_in_a_key", in_models("  \"a\\x07b\": p/x"), 5, 3, "models", "control characters"},
    {"empty_key", in_models("  \"\": p/x"), 5, 3, "models", "a key must not be empty"},
    {"tag", with_top("log: {level: !!str info}"), 1, 14, "log.level", "tags are not supported"},
    {"section_is_text", with_top("limits: big"), 1, 9, "limits", "expected a map, found text"},
    {"section_is_a_list", with_top("limits: [1]"), 1, 9, "limits", "expected a map, found a list"},
    {"text_is_a_map", with_top("trace: {path: {a: b}}"), 1, 15, "trace.path", "expected text, found a map"},
    {"text_is_a_list", with_top("trace: {path: [a]}"), 1, 15, "trace.path", "expected text, found a list"},
    {"text_is_missing", with_top("trace:\n  path:"), 2, 3, "trace.path", "expected text, found nothing"},
    {"list_is_text", in_upstream("    api_keys: ${K}"), 5, 15, "providers.p.api_keys", "expected a list, found text"},
    {"list_is_missing", in_upstream("    api_keys:"), 5, 5, "providers.p.api_keys", "expected a list, found nothing"},
    {"item_is_a_map", in_upstream("    quirks: {drop: [{a: b}]}"), 5, 21, "providers.p.quirks.drop[0]",
     "expected text, found a map"},
    {"zero_byte_by_escape", with_top("trace: {path: \"a\\0b\"}"), 1, 15, "trace.path", "holds a zero byte"},
    {"half_written_key", with_top("server: {lis}"), 1, 10, "server.lis", "did you mean \"listen\"?"},
};

class BadStructure : public testing::TestWithParam<BadCase> {};

TEST_P(BadStructure, IsRefusedAtItsPlace) { expect_only_problem(GetParam(), {{"K", "sk-1"}}); }

INSTANTIATE_TEST_SUITE_P(Files, BadStructure, testing::ValuesIn(kCases),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace sluice::config
