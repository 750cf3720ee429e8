#pragma once
// The whole configuration, parsed, checked and with every default filled in. Plain values: nothing here opens a file
// or a socket. docs/configuration.md and config/gateway.example.yaml list the same keys.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sluice/config/caching.hpp"
#include "sluice/config/guarding.hpp"
#include "sluice/config/routing.hpp"
#include "sluice/core/admission.hpp"
#include "sluice/core/endpoint.hpp"
#include "sluice/core/ip.hpp"
#include "sluice/core/secret.hpp"

namespace sluice::config {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

struct Address {
  std::string host;        // an IP literal (IPv6 without brackets), or "localhost"
  std::uint16_t port = 0;  // 0: the system chooses, and the start-up line says which
  bool operator==(const Address&) const = default;
};

enum class ClientAuth : std::uint8_t { kNone, kOptional, kRequired };

struct ServerTls {          // server.tls: of the apps' listener
  std::string certificate;  // PEM file, the whole chain; empty: plain HTTP
  std::string key;          // PEM file
  std::string client_ca;    // PEM file of those who may sign clients' certificates
  ClientAuth client_auth = ClientAuth::kNone;
  bool operator==(const ServerTls&) const = default;
};

struct Server {  // server:
  Address listen{"127.0.0.1", 8080};
  Address admin{"127.0.0.1", 9464};
  unsigned workers = 0;              // 0 = auto: one per core this process may use
  bool server_timing = false;        // answers tell what took how long
  std::size_t recent_records = 100;  // the last requests, which the operator's page shows; per worker
  milliseconds drain_grace = 5s;     // SIGTERM: /readyz says no, connections are still taken
  milliseconds drain_timeout = 30s;  // then running requests may go on for this long
  bool core_dumps = false;           // a core holds keys and prompts
  ServerTls tls;
  bool operator==(const Server&) const = default;
};

struct Limits {  // limits: what one client may make us hold, and for how long
  std::size_t header_bytes = 64 * 1024;
  std::size_t header_fields = 100;
  std::size_t uri_bytes = 8 * 1024;
  std::size_t body_bytes = 64 * 1024 * 1024;
  milliseconds head_timeout = 10s;                // from the first byte of a request to the end of its head
  milliseconds body_timeout = 30s;                // for the whole body, however fast it comes
  std::size_t body_min_rate = 1024;               // bytes per second it must come with at least; 0: any
  milliseconds body_rate_window = 10s;            // over each so long part of the time it takes
  milliseconds keepalive_timeout = 75s;           // an idle connection between two requests
  milliseconds write_timeout = 60s;               // a client that takes longer for one piece of its answer has stalled
  std::size_t event_bytes = 1280 * 1024;          // one event of an upstream's stream
  std::size_t response_bytes = 64 * 1024 * 1024;  // one whole answer of an upstream
  std::size_t error_bytes = 64 * 1024;            // how much of an upstream's error body is read
  std::size_t inline_bytes = 256 * 1024;          // JSON beyond this is checked beside the event loop
  bool operator==(const Limits&) const = default;
};

struct Overload {                   // overload: when there is too much of everything
  std::size_t max_connections = 0;  // clients at once; 0 = auto: what the descriptor limit allows
  std::size_t memory = 0;           // bytes; 0 = auto: the control group's limit, else the machine's
  unsigned shed_percent = 90;       // of it: new requests are answered 503
  unsigned cut_percent = 95;        // of it: the largest streams are cut
  milliseconds watchdog = 10s;      // an event loop that stands still for this long ends the process; 0: never
  bool operator==(const Overload&) const = default;
};

struct Timeouts {                   // timeouts: of a provider, and of a model, whose values win
  milliseconds connect = 2s;        // name look-up, TCP and TLS together
  milliseconds first_byte = 10min;  // until the answer's head
  milliseconds first_token = 60s;   // streams: until the first event
  milliseconds idle = 60s;          // silence once the answer has begun
  milliseconds total = 10min;
  bool operator==(const Timeouts&) const = default;
};
struct TimeoutOverrides {
  std::optional<milliseconds> connect, first_byte, first_token, idle, total;
  bool operator==(const TimeoutOverrides&) const = default;
};

struct Url {
  bool tls = false;
  std::string host;  // lower case; an IPv6 literal stands here without its brackets
  std::uint16_t port = 0;
  std::string path;  // without the trailing slash; may be empty
  Secret query;      // without the question mark; some providers want their key there
  bool operator==(const Url&) const = default;
};

enum class ProviderDialect : std::uint8_t { kOpenai, kStatic };

struct Quirks {                                             // quirks: declared edits of the body for this provider
  std::vector<std::string> drop;                            // top-level members to leave out
  std::vector<std::pair<std::string, std::string>> rename;  // top-level members to rename
  bool stream_usage = true;                                 // false: never force stream_options.include_usage
  bool operator==(const Quirks&) const = default;
};

struct Pool {  // pool: idle upstream connections, per worker
  std::size_t max_idle = 256;
  milliseconds idle_timeout = 30s;
  bool operator==(const Pool&) const = default;
};

struct Provider {  // providers.<name>:
  std::string name;
  ProviderDialect dialect = ProviderDialect::kOpenai;
  bool on = true;  // false: every credential it lists came out empty
  std::string off_reason;
  Url base_url;
  std::vector<Secret> api_keys;  // used in turn; none: no credential header
  std::string auth_header = "authorization";
  std::string auth_scheme = "Bearer";                   // empty: the bare key, as for `api-key`
  std::vector<std::pair<std::string, Secret>> headers;  // added to every request; names in lower case
  std::map<Endpoint, std::string> paths = {             // where an endpoint lives, after base_url; may hold {model}
      {Endpoint::kChat, "/chat/completions"},
      {Endpoint::kCompletions, "/completions"},
      {Endpoint::kEmbeddings, "/embeddings"},
      {Endpoint::kResponses, "/responses"},
      {Endpoint::kModerations, "/moderations"}};
  std::string ca_file;  // PEM; empty: the system's store
  bool tls_verify = true;
  std::vector<IpNetwork> allow_addresses;  // loopback, private and reserved ones that base_url's name may lead to
  Timeouts timeouts;
  Pool pool;
  std::size_t warm_up = 0;  // connections opened ahead, per worker
  Breaker breaker;
  Health health;
  Quirks quirks;
  // dialect: static
  std::string answer;
  milliseconds word_delay = 30ms;
  NodeLimits limits;  // of this account, whoever asks
  bool operator==(const Provider&) const = default;
};

// How much of questions and answers the trace holds: from nothing to everything, each level less private than the last.
enum class Content : std::uint8_t { kNone, kHash, kRedacted, kFull };
enum class TraceUsers : std::uint8_t { kNone, kHash, kName };  // trace.users: how end users are told

struct Model {  // models.<name or glob>: has either targets or rules
  std::string name;
  std::vector<Target> targets;  // in file order; a `when_off` comes last, in a tier of its own
  TimeoutOverrides timeouts;
  NodeLimits limits{};                       // of this entry, whoever asks
  std::optional<std::int64_t> max_output{};  // tokens reserved for an answer whose request names no maximum
  CacheRules cache{};                        // of what this entry answers, whoever led to it
  std::optional<Content> content{};          // absent: as the key or `trace` has it
  std::vector<Rule> rules{};                 // the first one that holds says who answers; the last one always holds
  // The rest goes with targets.
  Strategy strategy = Strategy::kOrdered;
  StickyBy sticky = StickyBy::kUser;  // strategy sticky: what is the same for requests that belong together
  std::vector<Split> split{};         // the rest of the traffic stays here
  std::optional<Mirror> mirror{};
  std::vector<std::string> fallback{};  // models that are tried in turn after the targets
  FallbackOn fallback_on{};
  std::optional<Starve> starve{};
  std::optional<Hedge> hedge{};
  std::string answer{};                    // said once all has failed; empty: the error is
  std::optional<unsigned> max_attempts{};  // absent: that of `routing`
  bool operator==(const Model&) const = default;
};

struct Rotate {                             // rotate: when the trace goes on in a new file
  std::size_t size = 1024 * 1024 * 1024;    // before it grows beyond this; 0: never by size
  milliseconds age = std::chrono::days(1);  // since its first line; 0: never by age
  std::size_t keep = 30;                    // files put aside; older ones are deleted
  bool operator==(const Rotate&) const = default;
};

struct RedactPattern {  // trace.redact: what counts as a secret beside the built-in kinds
  std::string name;     // told in its place
  std::string pattern;  // a regular expression, in RE2's syntax
  bool operator==(const RedactPattern&) const = default;
};

struct Sampling {                                // sample: which requests are traced, if not all
  std::uint32_t rate = 1'000'000;                // of all traces, in millionths; failures are kept in any case,
  milliseconds slow = 10s;                       // what takes so long; 0: however long it takes
  milliseconds slow_first_token = 5s;            // streams whose first token takes so long
  Money cost = Money::nanodollars(100'000'000);  // what costs so much; nothing: whatever it costs
  bool operator==(const Sampling&) const = default;
};

struct Trace {                                 // trace:
  std::string path;                            // empty: no trace
  std::size_t queue_bytes = 64 * 1024 * 1024;  // lines that wait for the disk; what does not fit is dropped
  Rotate rotate;
  Content content = Content::kNone;       // where neither the model nor the key says
  std::size_t content_bytes = 64 * 1024;  // of a question, and of an answer
  std::vector<RedactPattern> redact;
  TraceUsers users = TraceUsers::kName;
  Secret secret;  // of all hashes in it; empty: one that this process draws
  Sampling sample;
  bool operator==(const Trace&) const = default;
};

struct Log {                                   // log:
  std::string level = "info";                  // error, warn, info, debug
  bool requests = true;                        // one line per request
  std::size_t queue_bytes = 16 * 1024 * 1024;  // lines that wait for standard error
  bool operator==(const Log&) const = default;
};

struct Metrics {                  // metrics:
  std::size_t max_series = 5000;  // names beyond that are counted as "other"
  bool operator==(const Metrics&) const = default;
};

struct Dns {               // dns:
  milliseconds ttl = 30s;  // how long an address is believed; a stale one serves while it is refreshed
  bool operator==(const Dns&) const = default;
};

using Tags = std::map<std::string, std::string>;  // feature: search

// groups.<path>: a node of the tree of owners. "acme/search" lies in "acme", which need not be listed itself.
struct Group {
  std::string path;
  NodeLimits limits;
  NodeLimits each_user;  // limits.each_user: of each end user of this group's keys
  Tags tags;             // inner groups and keys add to them and win
  bool operator==(const Group&) const = default;
};

// What is kept of a client's key: never the key. Written and read by config/key_hash.hpp, made by auth/key_hash.hpp.
struct KeyHash {
  std::string id;                         // the public part of the key: says which row it is
  std::array<std::uint8_t, 16> salt{};    // bytes
  std::array<std::uint8_t, 32> digest{};  // HMAC-SHA-256(salt, key)
  bool operator==(const KeyHash&) const = default;
};

struct Key {          // keys: a list, or the lines of keys.file
  std::string name;   // a label; no other key has it
  std::string group;  // path of its owner, which may have no entry in `groups`; empty: none
  KeyHash hash;
  bool enabled = true;
  std::optional<std::chrono::sys_seconds> expires;  // from then on it is unknown
  std::optional<std::vector<std::string>> models;   // names or globs of entries of `models`; absent: all; empty: none
  // Absent: all; empty: none. kModels stands for kModel too.
  std::optional<std::vector<Endpoint>> endpoints;
  Priority priority = Priority::kNormal;
  NodeLimits limits;
  NodeLimits each_user;
  Tags tags;
  CacheRules cache{};
  GuardRules guard{};
  std::optional<Content> content{};  // absent: as the model or `trace` has it
  bool operator==(const Key&) const = default;
};

struct Auth {                             // auth:
  std::size_t failures_per_minute = 60;   // of one source address; then 429 instead of 401; 0: no limit
  std::vector<std::string> user_headers;  // lower case; the first one present names the end user, before
                                          // safety_identifier and user of the body
  bool operator==(const Auth&) const = default;
};

struct Queue {                                                  // admission.queue: of requests that wait for a slot
  std::size_t most = 1000;                                      // requests that may wait; 0: none do
  milliseconds timeout = 10s;                                   // the longest wait
  unsigned weight_high = 8, weight_normal = 4, weight_low = 1;  // shares of the slots when all classes wait
  bool operator==(const Queue&) const = default;
};

struct Admission {                              // admission:
  std::optional<ConcurrencyLimit> concurrency;  // of the whole process
  Queue queue;
  milliseconds lease = 30s;                // what a replica holds and does not renew is free again after this
  std::int64_t default_max_output = 4096;  // tokens reserved where neither the request nor the model says a maximum
  bool operator==(const Admission&) const = default;
};

// One row of the price table, from a day on. Prices per token; see core/money.hpp for the unit.
struct PriceRow {
  std::string provider{};        // empty: any
  std::string model{};           // upstream name; a trailing * is a glob
  std::chrono::sys_days from{};  // in force from this day (UTC) on
  Price input{}, output{};
  std::optional<Price> cached_input{}, cache_write{}, reasoning{};  // absent: as input, input, output
  Money per_request{};
  bool operator==(const PriceRow&) const = default;
};

enum class UnknownPrice : std::uint8_t { kDefault, kRefuse };
struct Prices {                // prices:
  std::vector<PriceRow> rows;  // the file's but for models that `prices.rows` names, then those; see price_table.hpp
  UnknownPrice unknown = UnknownPrice::kDefault;
  // What a model without a row costs: dear rather than free.
  PriceRow unknown_row{.input = Price::picodollars(15'000'000), .output = Price::picodollars(75'000'000)};
  bool operator==(const Prices&) const = default;
};

struct State {                     // state: embedded books of spend
  std::string path = "sluice.db";  // SQLite; used when there are budgets and no `redis`
  bool operator==(const State&) const = default;
};

struct Alerts {                            // alerts: when a budget reaches a threshold
  std::optional<Url> webhook;              // POSTed to, signed
  Secret secret;                           // for the signature; not empty if there is a webhook
  std::vector<IpNetwork> allow_addresses;  // loopback, private and reserved ones that the webhook's name may lead to
  unsigned attempts = 5;
  bool operator==(const Alerts&) const = default;
};

enum class ReportBy : std::uint8_t { kTeam, kGroup };
struct WeeklyReport {             // reports.weekly: what each team has cost, added up from the trace
  std::string folder;             // where it is put; empty: there is none
  bool webhook = false;           // whether it also goes to alerts.webhook
  std::chrono::minutes at = 6h;   // since the Monday, 00:00 in UTC, on which the week has ended
  ReportBy by = ReportBy::kTeam;  // a team is the first part of a group
  bool operator==(const WeeklyReport&) const = default;
};

enum class RedisDown : std::uint8_t { kClosed, kOpen };
struct Redis {                     // redis: absent: everything in this process
  std::vector<Address> endpoints;  // host may be a name here
  std::string sentinel_master;
  bool cluster = false;
  bool tls = false;
  std::string ca_file;
  bool tls_verify = true;
  std::string user;
  Secret password;
  unsigned database = 0;
  milliseconds deadline = 25ms;
  milliseconds connect_timeout = 1s;
  std::string prefix = "sluice";  // keys are {prefix}:…: one hash tag, so that Cluster keeps them together
  unsigned replicas = 1;          // how many share a limit while Redis is away and nobody can say
  RedisDown budgets_when_down = RedisDown::kClosed;  // once the leased remainder is used up
  bool operator==(const Redis&) const = default;
};

struct Config {
  Server server;
  Limits limits;
  Overload overload;
  Timeouts timeouts;  // timeouts: defaults for every provider
  Dns dns;
  Trace trace;
  Log log;
  Metrics metrics;
  Routing routing;
  std::map<std::string, Provider> providers;
  std::vector<Model> models;  // in file order: the first match wins, exact names before globs
  bool has_keys = false;      // there is a `keys` section, if only an empty one; without: loopback only
  std::vector<Key> keys;
  std::map<std::string, Group> groups;  // by path
  Auth auth;
  Admission admission;
  Prices prices;
  State state;
  Alerts alerts;
  WeeklyReport weekly_report;
  Cache cache;
  Guard guard;
  std::optional<Redis> redis;
  bool operator==(const Config&) const = default;
};

// Whether anything may be cached at all.
bool caches(const Config& config);
// Bytes of the largest answer that may be cached anywhere, with what is kept beside it.
std::size_t largest_cache_entry(const Config& config);

}  // namespace sluice::config
