// Any upstream that speaks OpenAI's dialect: a row of the configuration, not a class per vendor.

#include "provider/make.hpp"
#include "sluice/api/passed_on.hpp"
#include "sluice/core/build_info.hpp"
#include "sluice/core/text.hpp"
#include "sluice/http/head.hpp"

namespace sluice::provider {
namespace {

std::string percent_encoded(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 15];
    }
  }
  return out;
}

std::string authority_of(const config::Url& url) {
  std::string authority = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  if (url.port != (url.tls ? 443 : 80)) authority += ":" + std::to_string(url.port);
  return authority;
}

class OpenAi final : public Provider {
 public:
  OpenAi(const config::Provider& config, std::shared_ptr<const http::Origin> origin)
      : config_(config), origin_(std::move(origin)) {
    fixed_.append("host: " + authority_of(config.base_url) + "\r\nuser-agent: sluice/" + std::string(version()));
    fixed_.append("\r\naccept-encoding: identity\r\ncontent-type: application/json\r\n");
    for (const auto& [name, value] : config.headers) {
      fixed_.append(name).append(": ").append(value).append("\r\n");
      redactor_.add(value);
    }
    for (const Secret& key : config.api_keys) add_credential(key);
    redactor_.add_query(config.base_url.query);
  }

  const config::Provider& config() const override { return config_; }

  std::vector<std::string> credentials() const override {
    std::vector<std::string> names;
    for (const Secret& key : config_.api_keys) {
      if (!key.empty()) names.push_back(std::to_string(names.size()) + "-" + std::to_string(key.fingerprint()));
    }
    return names;
  }

  Result<void> encode(const http::Request& request, const api::RequestView& view, Encoded& encoded) const override {
    const auto path = config_.paths.find(view.endpoint);
    if (path == config_.paths.end()) {
      return fail(ErrorKind::kUnknownRoute, "This model's provider has no such endpoint.");
    }
    api::Rewrite rewrite{
        .model = std::string(encoded.model), .drop = &config_.quirks.drop, .rename = &config_.quirks.rename};
    const bool has_stream_options = view.endpoint == Endpoint::kChat || view.endpoint == Endpoint::kCompletions;
    rewrite.force_usage = view.stream && has_stream_options && !view.wants_usage && config_.quirks.stream_usage;
    encoded.usage_forced = rewrite.force_usage;
    encoded.edits = api::plan_edits(view, rewrite);
    http::Outgoing& out = encoded.outgoing;
    out.body = api::apply(view.body, encoded.edits);
    out.origin = origin_;
    write_head(request, view, path->second, encoded);
    return {};
  }

  std::shared_ptr<const http::Origin> origin() const override { return origin_; }

  http::Outgoing health_check(std::string_view path) const override {
    http::Outgoing out;
    out.origin = origin_;
    out.head.append("GET ").append(path).append(" HTTP/1.1\r\n").append(fixed_);
    if (!credentials_.empty()) out.head.append(credentials_.front());
    out.head.append("accept: */*\r\n\r\n");
    return out;
  }

  std::unique_ptr<http::ResponseStream> answer(const api::RequestView&) const override { return nullptr; }

  const Redactor& redactor() const override { return redactor_; }

 private:
  void add_credential(const Secret& key) {
    if (key.empty()) return;
    Secret& line = credentials_.emplace_back();
    line.append(config_.auth_header).append(": ").append(config_.auth_scheme);
    line.append(config_.auth_scheme.empty() ? "" : " ").append(key).append("\r\n");
    redactor_.add(key);
  }

  void write_head(const http::Request& request, const api::RequestView& view, std::string_view path,
                  Encoded& encoded) const {
    const http::Outgoing& out = encoded.outgoing;
    Secret& head = encoded.outgoing.head;
    head.reserve(512);
    head.append("POST ").append(config_.base_url.path);
    if (auto at = path.find("{model}"); at == std::string_view::npos) {
      head.append(path);
    } else {
      head.append(path.substr(0, at))
          .append(percent_encoded(encoded.model.empty() ? std::string_view(view.model) : encoded.model));
      head.append(path.substr(at + 7));
    }
    write_query(request.head.query, head);
    head.append(" HTTP/1.1\r\n").append(fixed_);
    if (encoded.credential < credentials_.size()) head.append(credentials_[encoded.credential]);
    for (const http::Field& field : request.head.fields) {
      const bool traced = encoded.tracestate && equals_ignore_case(field.name, "tracestate");
      if (!(traced || api::is_passed_on(field.name)) || request.head.nominates(field.name) ||
          !http::is_field_value(field.value))
        continue;
      head.append(field.name).append(": ").append(field.value).append("\r\n");
    }
    if (!encoded.traceparent.empty()) head.append("traceparent: ").append(encoded.traceparent).append("\r\n");
    head.append(view.stream ? "accept: text/event-stream" : "accept: application/json");
    std::size_t length = 0;
    for (auto piece : out.body) length += piece.size();
    head.append("\r\ncontent-length: ").append(std::to_string(length)).append("\r\n\r\n");
  }

  // What the configuration wants comes first; unknown parameters of the client's are the upstream's business.
  void write_query(std::string_view asked, Secret& head) const {
    const Secret& fixed = config_.base_url.query;
    if (fixed.empty() && asked.empty()) return;
    head.append("?").append(fixed).append(fixed.empty() || asked.empty() ? "" : "&").append(asked);
  }

  config::Provider config_;
  std::shared_ptr<const http::Origin> origin_;
  Secret fixed_;                     // the fields that are the same in every request
  std::vector<Secret> credentials_;  // whole header lines
  Redactor redactor_;
};

}  // namespace

std::expected<std::unique_ptr<Provider>, std::string> make_openai(const config::Provider& config) {
  auto origin = std::make_shared<http::Origin>();
  const config::Url& url = config.base_url;
  origin->host = url.host;
  origin->port = url.port;
  origin->max_idle = config.pool.max_idle;
  origin->idle_timeout = config.pool.idle_timeout;
  origin->allowed = config.allow_addresses;
  origin->identity = url.host + "|" + std::to_string(url.port);
  for (const IpNetwork& network : origin->allowed) {
    origin->identity += "|" + to_string(network.first) + "/" + std::to_string(network.bits);
  }
  if (url.tls && config.on) {
    auto tls = http::TlsContext::create(config.ca_file, config.tls_verify);
    if (!tls) return std::unexpected("providers." + config.name + ".tls.ca_file: " + tls.error());
    origin->tls = std::move(*tls);
    origin->identity += "|tls|" + config.ca_file + (config.tls_verify ? "|verified" : "|unverified");
  }
  return std::make_unique<OpenAi>(config, std::move(origin));
}

std::expected<std::unique_ptr<Provider>, std::string> make_provider(const config::Provider& config) {
  if (config.dialect == config::ProviderDialect::kStatic) return make_static(config);
  return make_openai(config);
}

}  // namespace sluice::provider
