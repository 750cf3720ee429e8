// Files whose shape is right and whose values are not.

#include "unit/config/support.hpp"

namespace sluice::config {
namespace {

const Variables kVariables = {{"KEY", "sk-good"},   {"EMPTY", ""},       {"NEWLINE", "sk-1\n"},
                              {"SPACED", "sk 1"},   {"BELL", "sk-\a-1"}, {"LATIN", "caf\xe9"},
                              {"KEY2", "sk-other"}, {"LEVEL", "loud"},   {"INJECT", "info\n  requests: false"}};

BadCase top(std::string name, std::string lines, int column, std::string path, std::string fragment) {
  return {std::move(name), with_top(lines), 1, column, std::move(path), std::move(fragment)};
}
BadCase upstream(std::string name, const std::string& line, int column, const std::string& path, std::string fragment) {
  return {std::move(name), in_upstream("    " + line), 5, column, "providers.p." + path, std::move(fragment)};
}
BadCase url(std::string name, const std::string& text, std::string fragment) {
  return {"url_" + name,      in_provider("    base_url: \"" + text + "\""), 4, 15, "providers.p.base_url",
          std::move(fragment)};
}
BadCase listen(std::string name, const std::string& text, std::string fragment) {
  return {"listen_" + name,   with_top("server: {listen: \"" + text + "\"}"), 1, 18, "server.listen",
          std::move(fragment)};
}
BadCase model(std::string name, const std::string& line, int column, const std::string& path, std::string fragment) {
  return {"model_" + name, in_models("  " + line), 5, column, "models." + path, std::move(fragment)};
}
BadCase header(std::string name, const std::string& line, int column, const std::string& path, std::string fragment) {
  return upstream("header_" + name, "headers: {" + line + "}", column, "headers." + path, std::move(fragment));
}

const BadCase kCases[] = {
    top("duration_without_unit", "timeouts: {connect: 30}", 21, "timeouts.connect", "\"30\": write a unit, e.g. 30s"),
    top("duration_with_fraction", "timeouts: {connect: 1.5s}", 21, "timeouts.connect", "a smaller unit"),
    top("duration_with_bad_unit", "timeouts: {idle: 5sec}", 18, "timeouts.idle", "unknown unit"),
    top("duration_negative", "timeouts: {idle: -5s}", 18, "timeouts.idle", "must not be negative"),
    top("duration_of_nothing", "timeouts: {idle: 0s}", 18, "timeouts.idle", "expected 1ms to 1d"),
    top("duration_too_long", "timeouts: {idle: 2d}", 18, "timeouts.idle", "\"2d\" is out of range"),
    top("duration_overflow", "timeouts: {idle: 999999999999999d}", 18, "timeouts.idle", "the number is too large"),
    top("size_without_unit", "limits: {body_bytes: 1024}", 22, "limits.body_bytes", "write a unit, e.g. 64KiB"),
    top("size_with_bad_unit", "limits: {body_bytes: 64mb}", 22, "limits.body_bytes", "B, KB, KiB, MB"),
    top("size_out_of_range", "limits: {header_bytes: 1B}", 24, "limits.header_bytes", "expected 256B to 16MiB"),
    top("rate_without_time", "limits: {body_min_rate: 1KiB}", 25, "limits.body_min_rate", "B/s, KB/s, KiB/s"),
    top("rate_out_of_range", "limits: {body_min_rate: 101MiB/s}", 25, "limits.body_min_rate",
        "expected 0B/s to 100MiB/s"),
    top("count_with_unit", "limits: {header_fields: 10B}", 25, "limits.header_fields", "not a whole number"),
    top("count_out_of_range", "limits: {header_fields: 0}", 25, "limits.header_fields", "expected 1 to 10000"),
    top("recent_records_too_many", "server: {recent_records: 10001}", 26, "server.recent_records",
        "expected 0 to 10000"),
    top("workers_none", "server: {workers: 0}", 19, "server.workers", "neither auto nor a number from 1 to 256"),
    top("workers_many", "server: {workers: 257}", 19, "server.workers", "neither auto"),
    top("flag_yes", "log: {requests: yes}", 17, "log.requests", "\"yes\" is neither true nor false"),
    top("enum_near", "log: {level: infos}", 14, "log.level", "did you mean \"info\"?"),
    top("enum_far", "log: {level: loud}", 14, "log.level", "expected error, warn, info or debug"),
    top("enum_from_environment", "log: {level: \"${LEVEL}\"}", 14, "log.level", "\"${LEVEL}\" is not known"),
    top("environment_cannot_add_structure", "log: {level: \"${INJECT}\"}", 14, "log.level", "is not known"),
    top("variable_unset", "trace: {path: \"${NOPE}\"}", 15, "trace.path", "environment variable NOPE is not set"),
    top("reference_unterminated", "trace: {path: \"x${KEY\"}", 15, "trace.path", "unterminated ${"),
    top("reference_without_name", "trace: {path: \"${}\"}", 15, "trace.path", "expected ${NAME} or ${NAME:-default}"),
    top("reference_with_bad_name", "trace: {path: \"${1X}\"}", 15, "trace.path", "expected ${NAME}"),
    top("reference_of_another_shell", "trace: {path: \"${KEY:?x}\"}", 15, "trace.path", "expected ${NAME}"),
    top("reference_nested", "trace: {path: \"${A:-${KEY}}\"}", 15, "trace.path", "cannot hold another reference"),
    top("variable_not_utf_8", "trace: {path: \"${LATIN}\"}", 15, "trace.path", "variable LATIN is not valid UTF-8"),

    top("queue_too_small", "trace: {queue_bytes: 1KiB}", 22, "trace.queue_bytes", "expected 256KiB to 16GiB"),
    top("log_queue_too_small", "log: {queue_bytes: 1KiB}", 20, "log.queue_bytes", "expected 256KiB to 16GiB"),
    top("rotate_size_too_small", "trace: {rotate: {size: 1KiB}}", 24, "trace.rotate.size",
        "write 64KiB or more, or 0B for never"),
    top("rotate_age_too_short", "trace: {rotate: {age: 999ms}}", 23, "trace.rotate.age",
        "write 1s or more, or 0s for never"),
    top("rotate_age_too_long", "trace: {rotate: {age: 366d}}", 23, "trace.rotate.age", "expected 0ms to 365d"),
    top("rotate_keep_nothing", "trace: {rotate: {keep: 0}}", 24, "trace.rotate.keep", "expected 1 to 1000000"),

    top("sample_rate_without_sign", "trace: {sample: {rate: 10}}", 24, "trace.sample.rate", "write a percentage"),
    top("sample_rate_too_fine", "trace: {sample: {rate: 0.00001%}}", 24, "trace.sample.rate", "four decimals"),
    top("sample_rate_more_than_all", "trace: {sample: {rate: 100.1%}}", 24, "trace.sample.rate", "more than 100%"),
    top("sample_rate_negative", "trace: {sample: {rate: -1%}}", 24, "trace.sample.rate", "write a percentage"),
    top("sample_slow_without_unit", "trace: {sample: {slow: 10}}", 24, "trace.sample.slow", "write a unit"),
    top("sample_slow_too_long", "trace: {sample: {slow: 25h}}", 24, "trace.sample.slow", "expected 0ms to 1d"),
    top("sample_first_token_without_unit", "trace: {sample: {slow_first_token: x}}", 36,
        "trace.sample.slow_first_token", "write a whole number and a unit"),
    top("sample_cost_without_unit", "trace: {sample: {cost: 0.10}}", 24, "trace.sample.cost", "e.g. 0.01 USD"),
    top("sample_of_another_name", "trace: {sample: {rates: 1%}}", 18, "trace.sample.rates", "did you mean \"rate\"?"),
    top("series_too_few", "metrics: {max_series: 1999}", 23, "metrics.max_series", "expected 2000 to 1000000"),
    top("series_too_many", "metrics: {max_series: 1000001}", 23, "metrics.max_series", "out of range"),
    top("series_with_unit", "metrics: {max_series: 5k}", 23, "metrics.max_series", "not a whole number"),

    listen("without_host", ":8080", "write 0.0.0.0:8080 for every interface or 127.0.0.1:8080"),
    listen("without_port", "127.0.0.1", "no port"),
    listen("ipv6_without_port", "[::1]", "no port"),
    listen("ipv6_without_brackets", "::1:8080", "needs [ and ]"),
    listen("name", "example.com:80", "not an address; expected an IP address or localhost"),
    listen("short_ipv4", "127.1:80", "not an address"),
    listen("bad_ipv6", "[::g]:80", "not an IPv6 address"),
    listen("port_too_high", "127.0.0.1:65536", "expected 0 to 65535"),
    listen("port_not_a_number", "127.0.0.1:http", "not a port"),
    {"listen_is_admin", with_top("server: {listen: \"127.0.0.1:9464\"}"), 1, 1, "server", "must not share"},
    {"listen_covers_admin", with_top("server: {listen: \"0.0.0.0:9464\"}"), 1, 1, "server", "must not share"},
    {"listen_is_admin_by_name", with_top("server: {listen: \"localhost:9464\"}"), 1, 1, "server", "must not share"},

    {"overload_percent_without_sign", with_top("overload: {shed_at: 90}"), 1, 21, "overload.shed_at",
     "is not a percentage"},
    {"overload_percent_out_of_range", with_top("overload: {shed_at: 5%}"), 1, 21, "overload.shed_at", "10% to 100%"},
    {"overload_cut_below_shed", with_top("overload: {shed_at: 80%, cut_at: 70%}"), 1, 1, "overload", "below shed_at"},
    {"overload_watchdog_too_keen", with_top("overload: {watchdog: 5ms}"), 1, 1, "overload", "0s or at least 1s"},
    {"overload_connections_none", with_top("overload: {max_connections: 0}"), 1, 29, "overload.max_connections",
     "out of range"},

    {"url_missing", in_provider("    dialect: openai"), 3, 3, "providers.p.base_url", "is missing"},
    {"url_missing_of_an_empty_provider", "models: {m: p/x}\nproviders:\n  p:\n", 3, 3, "providers.p.base_url",
     "is missing"},
    url("without_scheme", "api.openai.com/v1", "starts with http:// or https://"),
    url("of_a_metadata_service", "http://169.254.169.254/v1", "never upstreams"),
    url("of_a_mapped_metadata_service", "http://[::ffff:a9fe:a9fe]/v1", "never upstreams"),
    url("unspecified", "http://0.0.0.0:11434/v1", "never upstreams"),
    {"allow_addresses_no_network", in_upstream("    allow_addresses: [10.0.0.1/8]"), 5, 23,
     "providers.p.allow_addresses[0]", "is no network"},
    url("of_another_scheme", "ftp://h/v1", "starts with http:// or https://"),
    url("without_host", "https:///v1", "no host"),
    url("with_user", "https://user:hunter2@h/v1", "put credentials into api_keys"),
    url("with_fragment", "https://h/v1#x", "a fragment"),
    url("with_bad_port", "https://h:0/v1", "expected 1 to 65535"),
    url("with_empty_port", "https://h:/v1", "expected 1 to 65535"),
    url("with_space", "https://h/a b", "percent-encoded"),
    url("with_bad_escape", "https://h/%zz", "percent-encoded"),
    url("with_dots", "https://h/v1/%2e%2E/admin", "must not hold . or .. segments"),
    url("with_bad_query", "https://h/v1?a=<b>", "the query holds"),
    url("with_number_host", "http://0x7f.1/v1", "not a host name"),
    url("with_short_ipv4", "http://127.1/v1", "not a host name"),
    url("with_unicode_host", "http://bücher.example/", "xn--"),
    url("with_bad_ipv6", "http://[::1/v1", "not an IPv6 address"),
    url("with_endpoint", "https://api.openai.com/v1/chat/completions", "leave /chat/completions out"),
    url("from_unset_variable", "${NOPE}", "NOPE is not set"),

    upstream("dialect_near", "dialect: opena", 14, "dialect", "did you mean \"openai\"?"),
    upstream("dialect_far", "dialect: gemini", 14, "dialect", "expected openai or static"),
    upstream("answer_on_openai", "answer: hi", 5, "answer", "has no meaning for dialect openai"),
    {"url_on_static", in_provider("    dialect: static\n    answer: hi\n    base_url: https://h"), 6, 5,
     "providers.p.base_url", "has no meaning for dialect static"},
    {"answer_missing", in_provider("    dialect: static"), 3, 3, "providers.p.answer", "is missing"},
    {"answer_empty", in_provider("    dialect: static\n    answer: \"\""), 5, 13, "providers.p.answer", "not be empty"},
    {"provider_name", "models: {m: p/x}\nproviders: {p: {base_url: \"http://h\"}, P/q: {base_url: \"http://h\"}}\n", 2,
     40, "providers.\"P/q\"", "a provider's name is made of"},
    {"tls_on_http", in_provider("    base_url: http://h\n    tls: {verify: true}"), 5, 5, "providers.p.tls",
     "has no meaning for a base_url of http://"},
    upstream("ca_file_missing", "tls: {ca_file: /nonexistent/ca.pem}", 20, "tls.ca_file", "is not a file"),
    upstream("ca_file_directory", "tls: {ca_file: /}", 20, "tls.ca_file", "is not a file"),
    upstream("path_without_slash", "paths: {chat: chat}", 19, "paths.chat", "starts with /"),
    upstream("path_with_query", "paths: {chat: \"/c?v=1\"}", 19, "paths.chat", "put it into base_url"),
    upstream("path_with_braces", "paths: {chat: \"/{deployment}/c\"}", 19, "paths.chat", "only {model}"),
    upstream("path_with_dots", "paths: {chat: /../c}", 19, "paths.chat", "must not hold"),
    upstream("pool_negative", "pool: {max_idle: -1}", 22, "pool.max_idle", "not a whole number"),
    upstream("drop_model", "quirks: {drop: [model]}", 21, "quirks.drop[0]", "Sluice needs this member"),
    upstream("drop_twice", "quirks: {drop: [a, a]}", 24, "quirks.drop[1]", "already in the list"),
    upstream("rename_stream", "quirks: {rename: {stream: s}}", 31, "quirks.rename.stream", "Sluice needs this member"),
    upstream("rename_to_model", "quirks: {rename: {a: model}}", 26, "quirks.rename.a", "one that Sluice sets"),
    upstream("rename_to_itself", "quirks: {rename: {a: a}}", 26, "quirks.rename.a", "has already"),
    upstream("rename_into_one", "quirks: {rename: {a: c, b: c}}", 32, "quirks.rename.b", "another member takes it"),
    upstream("rename_dropped", "quirks: {drop: [a], rename: {a: b}}", 37, "quirks.rename.a", "is dropped"),

    upstream("key_literal", "api_keys: [sk-literal]", 16, "api_keys[0]", "write ${NAME} and put the key into the env"),
    upstream("key_with_more_around", "api_keys: [\"x${KEY}\"]", 16, "api_keys[0]", "must not stand in the file"),
    upstream("key_of_two_references", "api_keys: [\"${KEY}${KEY2}\"]", 16, "api_keys[0]", "write ${NAME}"),
    upstream("key_as_default", "api_keys: [\"${NOPE:-sk-x}\"]", 16, "api_keys[0]", "nor as a default"),
    upstream("key_unset", "api_keys: [\"${NOPE}\"]", 16, "api_keys[0]", "environment variable NOPE is not set"),
    upstream("key_twice", "api_keys: [\"${KEY}\", \"${KEY}\"]", 26, "api_keys[1]", "KEY is listed twice"),
    upstream("key_with_newline", "api_keys: [\"${NEWLINE}\"]", 16, "api_keys[0]", "ends with a line break"),
    upstream("key_with_space", "api_keys: [\"${SPACED}\"]", 16, "api_keys[0]", "holds a space"),
    upstream("key_with_control", "api_keys: [\"${BELL}\"]", 16, "api_keys[0]", "a control character"),
    upstream("key_null", "api_keys: [~]", 16, "api_keys[0]", "write ${NAME}"),
    upstream("auth_header", "auth: {header: \"api key\"}", 20, "auth.header", "not a header name"),
    upstream("auth_header_of_framing", "auth: {header: Host}", 20, "auth.header", "belongs to the connection"),
    upstream("auth_scheme", "auth: {scheme: \"Bearer x\"}", 20, "auth.scheme", "not an authentication scheme"),
    {"auth_header_twice", in_upstream("    api_keys: [\"${KEY}\"]\n    headers: {Authorization: x}"), 3, 3,
     "providers.p", "both set the header authorization"},
    header("framing", "Content-Length: 1", 15, "Content-Length", "belongs to the connection"),
    header("proxy", "proxy-anything: 1", 15, "proxy-anything", "belongs to the connection"),
    header("no_token", "\"a b\": 1", 15, "\"a b\"", "not a header name"),
    header("twice_by_case", "x-a: 1, X-A: 2", 23, "X-A", "already in the list"),
    header("with_line_break", "x-a: \"a\\r\\nb: c\"", 20, "x-a", "a line break"),
    header("with_newline_from_environment", "x-a: \"${NEWLINE}\"", 20, "x-a", "a line break"),
    header("with_space_at_the_end", "x-a: \"a \"", 20, "x-a", "starts or ends with a space"),
    header("unset", "x-a: \"v ${NOPE}\"", 20, "x-a", "NOPE is not set"),

    model("without_slash", "m: gpt-4o", 6, "m", "expected provider/model"),
    model("without_provider", "m: /gpt-4o", 6, "m", "expected provider/model"),
    model("without_model", "m: p/", 6, "m", "expected provider/model"),
    model("dangling_near", "m: hous/x", 6, "m", "unknown provider \"hous\"; did you mean \"house\"?"),
    model("dangling_far", "m: azure/x", 6, "m", "unknown provider \"azure\"; expected house or p"),
    model("dangling_in_a_map", "m: {target: q/x}", 15, "m.target", "unknown provider \"q\""),
    model("dangling_when_off", "m: {target: p/x, when_off: azure/x}", 30, "m.when_off", "unknown provider"),
    model("when_off_is_target", "m: {target: p/x, when_off: p/y}", 30, "m.when_off", "which is the one that is off"),
    model("glob_in_target", "m: p/gpt-*", 6, "m", "a lone *"),
    model("without_target", "m: {when_off: p/x}", 3, "m.target", "is missing"),
    model("null", "m:", 3, "m", "expected provider/model or a map with target"),
    model("list", "m: [p/x]", 6, "m", "expected provider/model or a map with target"),
    model("name_with_reference", "\"${KEY}\": p/x", 3, "\"${KEY}\"", "resolved in values, not in names"),
    model("bad_timeout", "m: {target: p/x, timeouts: {idle: 3}}", 37, "m.timeouts.idle", "write a unit"),
    {"models_empty", "providers: {p: {base_url: \"http://h\"}}\nmodels: {}\n", 2, 1, "models", "is empty"},
    {"models_null", "providers: {p: {base_url: \"http://h\"}}\nmodels:\n", 2, 1, "models", "is empty"},
    {"models_absent", "providers: {p: {base_url: \"http://h\"}}\n", 1, 1, "models", "is missing"},
};

class BadValue : public testing::TestWithParam<BadCase> {};

TEST_P(BadValue, IsRefusedAtItsPlace) { expect_only_problem(GetParam(), kVariables); }

INSTANTIATE_TEST_SUITE_P(Files, BadValue, testing::ValuesIn(kCases), [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace sluice::config
