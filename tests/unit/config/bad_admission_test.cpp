// What is wrong with keys, groups, limits and admission, each told at its place.

#include "config/report.hpp"
#include "unit/config/support.hpp"

namespace sluice::config {
namespace {

const Variables kVariables = {{"NAME", "acme"}};

BadCase top(std::string name, std::string lines, int column, std::string path, std::string fragment) {
  return {std::move(name), with_top(lines), 1, column, std::move(path), std::move(fragment)};
}
// Within the limits of a group; the text starts at column 22.
BadCase limit(std::string name, const std::string& text, int column, const std::string& path, std::string fragment) {
  return {"limit_" + name,    with_top("groups: {g: {limits: {" + text + "}}}"), 1, column, "groups.g.limits" + path,
          std::move(fragment)};
}
BadCase key(std::string name, const std::string& line, int column, const std::string& path, std::string fragment) {
  return {"key_" + name, in_key("  " + line), 4, column, "keys[0]" + path, std::move(fragment)};
}
BadCase hash(std::string name, const std::string& text, std::string fragment) {
  return {"hash_" + name, with_top("keys:\n- name: k\n  hash: " + text), 3, 9, "keys[0].hash", std::move(fragment)};
}
BadCase group(std::string name, const std::string& path, std::string fragment) {
  return {"group_" + name,    with_top("groups: {\"" + path + "\": {}}"), 1, 10, "groups." + join("", path),
          std::move(fragment)};
}
BadCase price(std::string name, const std::string& row, int column, const std::string& path, std::string fragment) {
  return {"price_" + name,    with_top("prices: {rows: [{" + row + "}]}"), 1, column, "prices.rows[0]" + path,
          std::move(fragment)};
}
std::string row(const std::string& name, std::string_view id) {
  return "- {name: " + name + ", hash: \"" + hash_with(id) + "\"}\n";
}

const std::string kZeros(64, '0');
const std::string kSalt(32, '0');
constexpr auto kRun = "run `sluice key new`";

const BadCase kCases[] = {
    limit("requests_alone", "requests: 600", 33, ".requests", "\"600\": write how many in which time, e.g. 600/min"),
    limit("window", "requests: 600/m", 33, ".requests", "after the slash comes s, min, h, d or month"),
    limit("negative", "requests: -1/min", 33, ".requests", "must not be negative"),
    limit("suffix", "tokens: 200K/min", 31, ".tokens", "if need be with k or M"),
    limit("fraction", "input_tokens: 1.5M/min", 37, ".input_tokens", "write a whole number"),
    limit("too_many", "output_tokens: 1000000001M/d", 38, ".output_tokens", "the number is too large"),
    limit("null", "requests: ~", 23, ".requests", "expected text, found nothing"),
    limit("nested_list", "requests: [[1/s]]", 34, ".requests[0]", "expected text, found a list"),
    limit("same_window", "requests: [1/min, 2/min]", 41, ".requests[1]", "a limit for this time already"),
    limit("same_window_other_mode", "tokens: [1/s, {limit: 2/s, mode: observe}]", 37, ".tokens[1]", "already"),
    limit("map_without_limit", "requests: {mode: observe}", 23, ".requests.limit", "is missing"),
    limit("mode", "requests: {limit: 1/s, mode: observed}", 52, ".requests.mode", "did you mean \"observe\"?"),
    limit("unknown_member", "requests: {limit: 1/s, burst: 5}", 46, ".requests.burst", "unknown key"),
    limit("unknown_meter", "request: 1/s", 23, ".request", "did you mean \"requests\"?"),
    limit("concurrency", "concurrency: 50/min", 36, ".concurrency", "if need be with k or M"),
    limit("concurrency_range", "concurrency: 2M", 36, ".concurrency", "expected 0 to 1M"),
    limit("concurrency_twice", "concurrency: [1, 2]", 40, ".concurrency[1]", "a limit of concurrency already"),
    limit("budget_alone", "budget: 500 USD", 31, ".budget", "an amount and its period, e.g. 500 USD/month"),
    limit("budget_without_currency", "budget: 500/month", 31, ".budget", "e.g. 0.01 USD"),
    limit("budget_in_euros", "budget: 500 EUR/month", 31, ".budget", "an amount of dollars"),
    limit("budget_by_the_minute", "budget: 5 USD/min", 31, ".budget", "day, week, month or total"),
    limit("budget_too_large", "budget: 1000000001 USD/total", 31, ".budget", "the amount is too large"),
    limit("budget_twice", "budget: [5 USD/day, 6 USD/day]", 43, ".budget[1]", "a budget for this period already"),
    limit("on_exceeded", "budget: {limit: 1 USD/day, on_exceeded: stop}", 63, ".budget.on_exceeded",
          "expected finish or cut"),
    limit("alerts_no_list", "budget: {limit: 1 USD/day, alerts: 50%}", 58, ".budget.alerts", "expected a list"),
    limit("alert_no_percentage", "budget: {limit: 1 USD/day, alerts: [50]}", 59, ".budget.alerts[0]",
          "is not a percentage"),
    limit("alert_of_nothing", "budget: {limit: 1 USD/day, alerts: [0%]}", 59, ".budget.alerts[0]",
          "expected 1% to 100%"),
    limit("alerts_fall", "budget: {limit: 1 USD/day, alerts: [80%, 50%]}", 64, ".budget.alerts[1]",
          "is not above the threshold before it"),
    limit("each_user_of_each_user", "each_user: {each_user: {}}", 35, ".each_user.each_user", "unknown key"),
    {"limit_each_user_of_a_model", in_models("  m: {target: p/x, limits: {each_user: {}}}"), 5, 29,
     "models.m.limits.each_user", "unknown key"},
    {"max_output_none", in_models("  m: {target: p/x, max_output: 0}"), 5, 32, "models.m.max_output", "expected 1 to"},
    {"provider_limit", in_upstream("    limits: {requests: 1}"), 5, 24, "providers.p.limits.requests", "e.g. 600/min"},

    {"key_without_name", with_top("keys:\n- hash: " + kHash), 2, 3, "keys[0].name", "is missing"},
    {"key_without_hash", with_top("keys:\n- name: k"), 2, 3, "keys[0].hash", kRun},
    {"key_as_text", with_top("keys: [k]"), 1, 8, "keys[0]", "expected a map, found text"},
    {"keys_as_text", with_top("keys: k"), 1, 7, "keys", "expected a list, found text"},
    {"keys_as_a_map_of_names", with_top("keys: {search: {}}"), 1, 8, "keys.search", "expected file or list"},
    {"key_name_empty", with_top("keys:\n- name: \"\"\n  hash: " + kHash), 2, 9, "keys[0].name", "1 to 64 of A-Z"},
    {"key_name_long", with_top("keys:\n- name: " + std::string(65, 'x') + "\n  hash: " + kHash), 2, 9, "keys[0].name",
     "1 to 64"},
    {"key_name_space", with_top("keys:\n- name: a b\n  hash: " + kHash), 2, 9, "keys[0].name", "1 to 64"},
    {"key_name_from_environment", with_top("keys:\n- name: \"${NAME}\"\n  hash: " + kHash), 2, 9, "keys[0].name",
     "resolved in values, not in names"},
    {"key_names_equal", with_top("keys:\n" + row("a", "aaaaaaaaaaaa") + row("a", "bbbbbbbbbbbb")), 3, 10,
     "keys[1].name", "the key at 2:10 has this name already"},
    {"key_ids_equal", with_top("keys:\n" + row("a", "aaaaaaaaaaaa") + row("b", "aaaaaaaaaaaa")), 3, 19, "keys[1].hash",
     "the key at 2:19 has this id already"},
    hash("of_a_plain_key", "sk-sluice-Abcdefgh0123-" + std::string(43, 'x'), kRun),
    hash("of_a_foreign_key", "sk-proj-abc", "only its hash"),
    hash("empty", "\"\"", "only its hash"),
    hash("of_another_scheme", "sluice2:x", "only its hash"),
    hash("with_a_short_id", "sluice1:abc:" + kSalt + ":" + kZeros, "the id is not 12 letters and digits"),
    hash("with_an_odd_id", "sluice1:abcdefgh-123:" + kSalt + ":" + kZeros, "the id is not 12"),
    hash("with_a_short_salt", "sluice1:abcdefgh0123:00:" + kZeros, "the salt is not 32 hexadecimal digits"),
    hash("in_capitals", "sluice1:abcdefgh0123:" + kSalt + ":" + std::string(64, 'A'), "the digest is not 64"),
    hash("with_more_behind", "sluice1:abcdefgh0123:" + kSalt + ":" + kZeros + ":0", "the digest is not 64"),
    hash("from_unset_variable", "\"${NOPE}\"", "NOPE is not set"),
    key("itself", "key: sk-1", 3, ".key", "unknown key"),
    key("group_slash", "group: /acme", 10, ".group", "a path such as acme/search"),
    key("group_capitals", "group: Acme", 10, ".group", "made of a-z, 0-9"),
    key("group_from_environment", "group: \"${NAME}/x\"", 10, ".group", "resolved in values, not in names"),
    key("enabled", "enabled: yes", 12, ".enabled", "neither true nor false"),
    key("expires", "expires: tomorrow", 12, ".expires", "write a date or a date and a time"),
    key("expires_without_offset", "expires: 2026-12-31T12:00:00", 12, ".expires", "2026-12-31T18:00:00Z"),
    key("expires_no_such_day", "expires: 2026-02-30", 12, ".expires", "write a date"),
    key("models_text", "models: gpt-4o", 11, ".models", "expected a list"),
    key("models_empty_name", "models: [\"\"]", 12, ".models[0]", "expected the name of a model"),
    key("models_twice", "models: [m, m]", 15, ".models[1]", "already in the list"),
    key("models_from_environment", "models: [\"${NAME}\"]", 12, ".models[0]", "not in names"),
    key("endpoint", "endpoints: [chats]", 15, ".endpoints[0]", "did you mean \"chat\"?"),
    key("priority", "priority: urgent", 13, ".priority", "expected high, normal or low"),
    key("tag_name", "tags: {Feature: x}", 10, ".tags.Feature", "a tag's name is made of"),
    key("tag_name_digit", "tags: {1st: x}", 10, ".tags.1st", "does not start with a digit"),
    key("tag_value_long", "tags: {a: " + std::string(65, 'x') + "}", 13, ".tags.a", "at most 64 bytes"),
    key("tag_value_control", "tags: {a: \"x\\ty\"}", 13, ".tags.a", "must not hold control characters"),
    key("tag_list", "tags: [a]", 9, ".tags", "expected a map"),

    group("empty_segment", "a//b", "a path such as acme/search"),
    group("trailing_slash", "a/", "a path such as"),
    group("space", "a b", "a path such as"),
    group("deep", "a/b/c/d/e/f/g/h/i", "at most eight segments"),
    group("long", std::string(257, 'a'), "at most 256 bytes"),
    group("from_environment", "${NAME}", "resolved in values, not in names"),
    top("group_unknown_member", "groups: {g: {limit: {}}}", 14, "groups.g.limit", "did you mean \"limits\"?"),
    top("groups_list", "groups: [g]", 9, "groups", "expected a map"),

    top("admission_queue", "admission: {queue: {most: -1}}", 27, "admission.queue.most", "not a whole number"),
    top("admission_queue_timeout", "admission: {queue: {timeout: 0s}}", 30, "admission.queue.timeout",
        "expected 1ms to 1h"),
    top("admission_weight", "admission: {queue: {weights: {low: 0}}}", 36, "admission.queue.weights.low",
        "expected 1 to 1000"),
    top("admission_lease", "admission: {lease: 10ms}", 20, "admission.lease", "expected 1s to 1h"),
    top("admission_max_output", "admission: {default_max_output: 0}", 33, "admission.default_max_output",
        "expected 1 to"),
    top("admission_concurrency", "admission: {concurrency: auto}", 26, "admission.concurrency", "write a whole number"),
    price("without_model", "input: 1 USD, output: 1 USD", 17, ".model", "is missing"),
    price("without_output", "model: m, input: 1 USD", 17, ".output", "is missing"),
    price("without_unit", "model: m, input: 2.50, output: 1 USD", 35, ".input", "with at most six decimals"),
    price("too_fine", "model: m, input: 1 USD, output: 0.0000001 USD", 50, ".output", "at most six decimals"),
    price("negative", "model: m, input: -1 USD, output: 1 USD", 35, ".input", "write what a million tokens cost"),
    price("star_in_the_middle", "model: \"a*b\", input: 1 USD, output: 1 USD", 25, ".model", "only stand at the end"),
    price("day", "model: m, from: 2026-13-01, input: 1 USD, output: 1 USD", 34, ".from", "write a date"),
    price("per_request", "model: m, input: 1 USD, output: 1 USD, per_request: 1", 70, ".per_request", "e.g. 0.01 USD"),
    price("provider", "provider: q, model: m, input: 1 USD, output: 1 USD", 17, "", "unknown provider \"q\""),
    price("provider_from_environment", "provider: \"${NAME}\", model: m, input: 1 USD, output: 1 USD", 28, ".provider",
          "not in names"),
    {"price_twice",
     with_top("prices:\n  rows:\n  - {model: m, input: 1 USD, output: 1 USD}\n"
              "  - {model: m, input: 2 USD, output: 1 USD}"),
     4, 5, "prices.rows[1]", "a row for this model and day already"},
    top("prices_rows_text", "prices: {rows: x}", 16, "prices.rows", "expected a list"),
    top("prices_unknown", "prices: {unknown: free}", 19, "prices.unknown", "expected default or refuse"),
    top("prices_default_model", "prices: {default: {model: m}}", 20, "prices.default.model", "unknown key"),
    top("prices_file", "prices: {file: none.yaml}", 16, "prices.file", "is not a file"),

    top("auth_failures", "auth: {failures_per_minute: 1/min}", 29, "auth.failures_per_minute", "not a whole number"),
    top("auth_header", "auth: {user_headers: [x user]}", 23, "auth.user_headers[0]", "not a header name"),
    top("auth_header_twice", "auth: {user_headers: [x-user, X-User]}", 31, "auth.user_headers[1]",
        "already in the list"),
};

class BadAdmission : public testing::TestWithParam<BadCase> {};

TEST_P(BadAdmission, IsRefusedAtItsPlace) { expect_only_problem(GetParam(), kVariables); }

INSTANTIATE_TEST_SUITE_P(Files, BadAdmission, testing::ValuesIn(kCases),
                         [](const auto& info) { return info.param.name; });

TEST(BadKeys, NoProblemRepeatsAKeyAtAWrongPlace) {
  const std::string plain = "sk-sluice-Abcdefgh0123-" + std::string(43, 'x');
  for (const std::string& lines : {"keys: [{name: k, hash: " + plain + "}]", "keys: [{name: k, key: " + plain + "}]",
                                   "keys: [" + plain + "]", "keys: [{name: k, hash: sluice1:" + plain + "}]"}) {
    const auto problems = problems_of(with_top(lines));
    ASSERT_FALSE(problems.empty()) << lines;
    EXPECT_EQ(listing(problems).find(plain), std::string::npos) << listing(problems);
  }
}

TEST(BadKeys, ARequestMeetsAtMostSixtyFourLimits) {
  const std::string many =
      "requests: [1/s, 1/min, 1/h, 1/d], tokens: [1/s, 1/min, 1/h, 1/d], input_tokens: [1/s, 1/min, 1/h, 1/d], "
      "output_tokens: [1/s, 1/min, 1/h, 1/d]";
  const std::string groups = "groups: {a: {limits: {" + many + "}}, a/b: {limits: {" + many + "}}, ab: {limits: {" +
                             many + "}}, a/b/c: {limits: {each_user: {" + many + "}}}}\n";
  const auto with_key = [&](const std::string& more) {
    return with_top(groups + "keys: [{name: k, hash: \"" + kHash + "\", group: a/b/c, limits: {" + more + "}}]");
  };
  EXPECT_TRUE(
      problems_of(with_key("requests: [1/s, 1/min, 1/h, 1/d, 1/month], tokens: [1/s, 1/min, 1/h, 1/d, 1/month], "
                           "budget: [1 USD/day, 1 USD/week, 1 USD/month, 1 USD/total], concurrency: 1, "
                           "output_tokens: 1/s"))
          .empty());
  const auto problems = problems_of(with_key(many + ", concurrency: 1"));
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].line, 2);
  EXPECT_EQ(problems[0].path, "keys[0].limits");
  EXPECT_EQ(
      problems[0].message,
      "a request with this key meets up to 65 limits, counting those of groups, models and providers; at most 64");
}

}  // namespace
}  // namespace sluice::config
