#include "sluice/api/destinations.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "sluice/core/text.hpp"

namespace sluice::api {
namespace {

using json::Step;

constexpr std::array kNames = std::to_array<std::string_view>(
    {// Addresses.
     "api_base", "api_host", "api_url", "base_url", "custom_host", "endpoint_url", "azure_endpoint", "deployment_url",
     "huggingface_base_url", "sagemaker_base_url", "s3_endpoint_url", "aws_bedrock_runtime_endpoint",
     "aws_sts_endpoint", "langfuse_host", "langsmith_base_url", "posthog_api_url",
     // What an address is made of or found by.
     "user_config", "model_list", "router_settings_override", "custom_llm_provider", "virtual_key", "api_version",
     "aws_region_name", "vertex_project", "vertex_location", "vertex_ai_project", "vertex_ai_location",
     // Credentials.
     "api_key", "litellm_credential_name", "customer_credentials", "azure_ad_token", "aws_access_key_id",
     "aws_secret_access_key", "aws_session_token", "aws_session_name", "aws_profile_name", "aws_role_name",
     "aws_web_identity_token", "vertex_credentials", "vertex_ai_credentials",
     // What goes along, and whom to trust.
     "headers", "extra_headers", "default_headers", "forward_headers", "extra_query", "ssl_verify"});

constexpr std::array kHeaders = std::to_array<std::string_view>(
    {"x-portkey-custom-host", "x-portkey-config", "x-portkey-provider", "x-portkey-virtual-key",
     "x-portkey-forward-headers", "x-portkey-azure-resource-name", "x-portkey-azure-endpoint-name",
     "x-portkey-huggingface-base-url", "x-portkey-aws-access-key-id", "x-portkey-aws-secret-access-key",
     "x-portkey-aws-session-token", "x-portkey-aws-region", "x-portkey-vertex-project-id", "x-portkey-vertex-region",
     "x-portkey-vertex-service-account-json", "helicone-target-url", "helicone-target-provider",
     "helicone-openai-api-base"});

constexpr std::array<std::string_view, 2> kHeaderFamilies = {"x-portkey-", "helicone-"};

// Below these outermost members …
constexpr std::array kAppAreas =
    std::to_array<std::string_view>({"messages", "input", "prompt", "tools", "functions", "response_format", "text"});
// … what stands under one of these belongs to the app: schemas, and what tools are given and give back.
constexpr std::array kAppNames = std::to_array<std::string_view>(
    {"parameters",         "schema", "json_schema", "input_schema", "output_schema", "variables", "headers", "env",
     "arguments",          "args",   "input",       "action",       "output",        "result",    "results", "response",
     "structured_content", "json",   "data",        "document",     "attributes"});
// And all of these.
constexpr std::array kAppMembers = std::to_array<std::string_view>(
    {"chat_template_kwargs", "documents", "guided_json", "json_schema", "logit_bias", "nvext", "structured_outputs"});

constexpr std::string_view kAzureVersion = "api-version";
constexpr std::size_t kAppDepth = 8;  // how far below it stands at most
constexpr std::size_t kMaxLetters = 32;
constexpr std::size_t kMaxShownName = 64;
constexpr std::size_t kMaxShownPath = 256;

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

// A name without case, _ and -. Empty if it is longer than any on the list.
class Letters {
 public:
  constexpr explicit Letters(std::string_view name) {
    for (const char c : name) {
      if (c == '_' || c == '-') continue;
      if (size_ == kMaxLetters) {
        size_ = 0;
        return;
      }
      text_[size_++] = ascii_lower(c);
    }
  }
  constexpr std::string_view view() const { return {text_.data(), size_}; }

 private:
  std::array<char, kMaxLetters> text_{};
  std::size_t size_ = 0;
};

template <std::size_t... I>
constexpr std::array<Letters, sizeof...(I)> letters_of_names(std::index_sequence<I...>) {
  return {Letters(kNames[I])...};
}

bool is_destination(std::string_view name) {
  static constexpr auto kLetters = letters_of_names(std::make_index_sequence<kNames.size()>());
  const Letters letters(name);
  return std::ranges::any_of(kLetters, [&](const Letters& known) { return known.view() == letters.view(); });
}

bool is_written_plainly(const Step& step) { return !step.is_element && !step.escaped; }

// Escapes where nobody needs them open no way around.
bool belongs_to_app(std::span<const Step> path) {
  if (!is_written_plainly(path.front())) return false;
  if (is_one_of(path.front().name, kAppMembers)) return true;
  return is_one_of(path.front().name, kAppAreas) &&
         std::ranges::any_of(path.subspan(1, std::min(path.size() - 1, kAppDepth)), [](const Step& step) {
           return is_written_plainly(step) && is_one_of(step.name, kAppNames);
         });
}

std::string shown(std::span<const Step> path) {
  std::string text;
  for (const Step& step : path) {
    if (step.is_element) {
      text += "[" + std::to_string(step.index) + "]";
    } else {
      text += (text.empty() ? "" : ".") + truncate_utf8(step.name, kMaxShownName);
    }
  }
  return truncate_utf8(text, kMaxShownPath);
}

std::unexpected<Error> refused(std::string param) {
  std::string message = "'" + param +
                        "' is not supported: this gateway's configuration alone decides where requests go, "
                        "with which credential and headers.";
  return fail_param(ErrorKind::kUnsupportedParameter, std::move(param), std::move(message));
}

}  // namespace

std::span<const std::string_view> destination_names() { return kNames; }
std::span<const std::string_view> destination_headers() { return kHeaders; }

const json::NameFilter& destination_filter() {
  static constexpr json::NameFilter kFilter(kNames);
  return kFilter;
}

Result<void> check_member(std::span<const Step> path) {
  if (!is_destination(path.back().name) || belongs_to_app(path)) return {};
  return refused(shown(path));
}

// extra_body[api_base] and extra_body.api_base are how nested names are written in queries.
Result<void> check_query(std::string_view query) {
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const std::string name = percent_decoded(pair.substr(0, pair.find('=')));
    for (std::size_t begin = 0; begin < name.size();) {
      const auto end = std::min(name.find_first_of("[].", begin), name.size());
      const auto part = std::string_view(name).substr(begin, end - begin);
      if (part != kAzureVersion && is_destination(part)) return refused(truncate_utf8(name, kMaxShownPath));
      begin = end + 1;
    }
  }
  return {};
}

Result<void> check_header(std::string_view name) {
  const bool family = std::ranges::any_of(kHeaderFamilies, [&](std::string_view prefix) {
    return equals_ignore_case(name.substr(0, prefix.size()), prefix);
  });
  if (!family) return {};
  for (std::string_view known : kHeaders) {
    if (equals_ignore_case(name, known)) return refused(std::string(known));
  }
  return {};
}

}  // namespace sluice::api
