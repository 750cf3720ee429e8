#pragma once
// One reader per section of the file. Each is called once, fills in what the file says and reports what is wrong with
// it; what the file does not say keeps its default.

#include "config/reader.hpp"
#include "sluice/config/config.hpp"

namespace sluice::config {

void read_server(const Value& section, Server& server);
void read_server_tls(const Value& section, ServerTls& tls);
void read_limits(const Value& section, Limits& limits);
void read_overload(const Value& section, Overload& overload);
void read_timeouts(const Value& section, Timeouts& timeouts);
void read_timeouts(const Value& section, TimeoutOverrides& timeouts);
void read_dns(const Value& section, Dns& dns);
void read_trace(const Value& section, Trace& trace);
void read_log(const Value& section, Log& log);
void read_metrics(const Value& section, Metrics& metrics);
void read_routing(const Value& section, Routing& routing);
// After `timeouts` and `routing`, whose values every provider starts from.
void read_providers(const Value& section, Config& config);
// After `providers`, which the targets name.
void read_models(const Value& section, Config& config);

void read_auth(const Value& section, Auth& auth);
void read_admission(const Value& section, Admission& admission);
void read_groups(const Value& section, std::map<std::string, Group>& groups);
// After `providers`, which rows name.
void read_prices(const Value& section, Config& config);
void read_redis(const Value& section, std::optional<Redis>& redis);
void read_state(const Value& section, State& state);
void read_alerts(const Value& section, Alerts& alerts);
// After `trace`, `prices` and `alerts`, which it needs.
void read_reports(const Value& section, Config& config);
void read_cache(const Value& section, Cache& cache);
void read_guard(const Value& section, Guard& guard);
// After everything else.
void check_cache(const Value& section, const Config& config);
// After all that has limits.
void read_keys(const Value& section, Config& config);
// Once the file is found to be good.
void note_keys(const Config& config, Report& report);

inline constexpr std::int64_t kMostOutput = 1'000'000'000;  // tokens of one answer

// Parts of several sections. Null: these limits have no each_user.
void read_node_limits(const Value& section, NodeLimits& limits, NodeLimits* each_user);
void read_concurrency(const Value& value, std::optional<ConcurrencyLimit>& concurrency);
void read_tags(const Value& section, Tags& tags);
void read_cache_rules(const Value& section, CacheRules& rules);              // of a model or a key
void read_guard_rules(const Value& section, GuardRules& rules);              // of a key
void read_header_names(const Value& list, std::vector<std::string>& names);  // in lower case, each once
std::optional<std::string> read_header_name(const Value& value);             // in lower case
std::optional<Content> read_content(const Value& value);                     // of the trace, a model or a key
void read_when(const Value& section, Conditions& conditions);
std::optional<std::string> read_label(const Value& value);  // a name for people and metrics; may be empty
std::optional<unsigned> read_attempts(const Value& value);

// Parts of a provider.
void read_api_keys(const Value& list, Provider& provider);
void read_auth(const Value& section, Provider& provider);
void read_headers(const Value& section, Provider& provider);
void read_paths(const Value& section, Provider& provider);
void read_quirks(const Value& section, Quirks& quirks);
void read_breaker(const Value& section, Breaker& breaker);
void read_health(const Value& section, Health& health);
void read_allow_addresses(const Value& list, std::vector<IpNetwork>& allowed);
// Tells the operator if base_url's name usually leads to addresses that allow_addresses would have to list, and lists
// none. After all parts of the provider.
void note_inside_name(const Value& value, const Provider& provider);

}  // namespace sluice::config
