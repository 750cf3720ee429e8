#include <algorithm>

#include "config/address.hpp"
#include "config/sections.hpp"
#include "config/url.hpp"
#include "config/values.hpp"

namespace sluice::config {
namespace {

// Reads the keys of one dialect, and refuses them in a provider of another.
class DialectKeys {
 public:
  DialectKeys(MapReader& map, std::optional<ProviderDialect> is, ProviderDialect wants, std::string_view name)
      : map_(map), fits_(!is || *is == wants), known_(is.has_value()), reason_("has no meaning for dialect ") {
    reason_ += name;
  }

  template <class T, class Convert>
  bool read(std::string_view key, T& out, Convert&& convert) {
    if (fits_) return map_.read(key, out, std::forward<Convert>(convert));
    map_.refuse(key, reason_);
    return false;
  }
  template <class Use>
  bool section(std::string_view key, Use&& use) {
    if (fits_) return map_.section(key, std::forward<Use>(use));
    map_.refuse(key, reason_);
    return false;
  }
  void missing(std::string_view key, std::string message) {
    if (fits_ && known_) map_.missing(key, std::move(message));
  }

 private:
  MapReader& map_;
  bool fits_;  // also while nobody knows the dialect, since that has been told already
  bool known_;
  std::string reason_;
};

void read_tls(const Value& section, Provider& provider, bool https) {
  MapReader map(section);
  map.read("ca_file", provider.ca_file, read_pem_file);
  map.read("verify", provider.tls_verify, read_flag);
  if (!https) section.fail_key("has no meaning for a base_url of http://");
  if (!provider.tls_verify) {
    section.scope->report.note("provider " + provider.name +
                               ": TLS VERIFICATION IS OFF; anybody on the way can read its key and every prompt");
  }
}

void read_pool(const Value& section, Pool& pool) {
  MapReader map(section);
  map.read("max_idle", pool.max_idle, count(0, 65'536));
  map.read("idle_timeout", pool.idle_timeout, duration(1ms, kDay));
}

// After the pool, which connections wait in.
void read_warm_up(const Value& value, Provider& provider) {
  if (const auto connections = count(0, 1024)(value)) provider.warm_up = *connections;
  if (provider.warm_up > provider.pool.max_idle) value.fail("more than pool.max_idle, which is how many are kept");
}

void check_credentials(const Value& value, const Provider& provider) {
  auto same = [&](const auto& header) { return header.first == provider.auth_header; };
  if (!provider.api_keys.empty() && std::ranges::any_of(provider.headers, same)) {
    value.fail_key("headers and api_keys both set the header " + provider.auth_header);
  }
  if (!provider.api_keys.empty() && !provider.base_url.tls && !is_loopback(provider.base_url.host)) {
    value.scope->report.note("provider " + provider.name + ": its key travels in the clear, since base_url is http://");
  }
}

void read_openai(DialectKeys keys, Provider& provider) {
  bool placed = keys.read("base_url", provider.base_url, parsed(parse_base_url));
  if (!placed) keys.missing("base_url", "expected a URL such as https://api.openai.com/v1");
  bool https = provider.base_url.tls || provider.base_url.host.empty();  // no host: unknown
  keys.section("api_keys", [&](const Value& list) { read_api_keys(list, provider); });
  keys.section("auth", [&](const Value& section) { read_auth(section, provider); });
  keys.section("headers", [&](const Value& section) { read_headers(section, provider); });
  keys.section("paths", [&](const Value& section) { read_paths(section, provider); });
  keys.section("tls", [&](const Value& section) { read_tls(section, provider, https); });
  keys.section("allow_addresses", [&](const Value& list) { read_allow_addresses(list, provider.allow_addresses); });
  keys.section("pool", [&](const Value& section) { read_pool(section, provider.pool); });
  keys.section("breaker", [&](const Value& section) { read_breaker(section, provider.breaker); });
  keys.section("health", [&](const Value& section) { read_health(section, provider.health); });
  keys.section("warm_up", [&](const Value& value) { read_warm_up(value, provider); });
  keys.section("quirks", [&](const Value& section) { read_quirks(section, provider.quirks); });
}

void read_static(DialectKeys keys, Provider& provider) {
  if (!keys.read("answer", provider.answer, read_word)) keys.missing("answer", "expected the text to answer with");
  keys.read("word_delay", provider.word_delay, duration(0ms, 1min));
}

std::optional<ProviderDialect> read_dialect(MapReader& map) {
  std::optional<ProviderDialect> dialect;
  bool written =
      map.read("dialect", dialect,
               choice<ProviderDialect>({{"openai", ProviderDialect::kOpenai}, {"static", ProviderDialect::kStatic}}));
  return written ? dialect : ProviderDialect::kOpenai;
}

void read_provider(const Value& value, Provider& provider) {
  {
    MapReader map(value);
    auto dialect = read_dialect(map);
    provider.dialect = dialect.value_or(ProviderDialect::kOpenai);
    std::string_view name = provider.dialect == ProviderDialect::kOpenai ? "openai" : "static";
    read_openai({map, dialect, ProviderDialect::kOpenai, name}, provider);
    read_static({map, dialect, ProviderDialect::kStatic, name}, provider);
    map.section("timeouts", [&](const Value& section) { read_timeouts(section, provider.timeouts); });
    map.section("limits", [&](const Value& section) { read_node_limits(section, provider.limits, nullptr); });
  }
  if (provider.dialect != ProviderDialect::kOpenai) return;
  check_credentials(value, provider);
  if (!provider.base_url.host.empty()) note_inside_name(value, provider);
}

bool is_provider_name(std::string_view name) {
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  auto rest = [&](char c) { return letter(c) || c == '_' || c == '-'; };
  return !name.empty() && letter(name.front()) && std::ranges::all_of(name, rest);
}

}  // namespace

void read_paths(const Value& section, Provider& provider) {
  MapReader map(section);
  for (auto& [endpoint, path] : provider.paths) map.read(to_string(endpoint), path, parsed(parse_endpoint_path));
}

void read_providers(const Value& section, Config& config) {
  for (const Named& entry : read_entries(section)) {
    if (!is_provider_name(entry.name)) {
      entry.value.fail_key("a provider's name is made of a-z, 0-9, _ and -, and starts with a letter or digit");
    }
    Provider& provider = config.providers[entry.name];
    provider.name = entry.name;
    provider.timeouts = config.timeouts;
    provider.breaker = config.routing.breaker;
    read_provider(entry.value, provider);
  }
}

}  // namespace sluice::config
