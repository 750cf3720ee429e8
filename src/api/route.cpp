#include "sluice/api/route.hpp"

#include <array>

#include "sluice/core/text.hpp"

namespace sluice::api {
namespace {

struct Row {
  std::string_view path;
  Endpoint endpoint;
  bool post;
};
constexpr std::array kRows = {
    Row{"/chat/completions", Endpoint::kChat, true},   Row{"/completions", Endpoint::kCompletions, true},
    Row{"/embeddings", Endpoint::kEmbeddings, true},   Row{"/responses", Endpoint::kResponses, true},
    Row{"/moderations", Endpoint::kModerations, true}, Row{"/models", Endpoint::kModels, false},
    Row{"/feedback", Endpoint::kFeedback, true},
};

std::string normalized(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  for (char c : path) {
    if (c != '/' || out.empty() || out.back() != '/') out += c;
  }
  if (out.size() > 1 && out.back() == '/') out.pop_back();
  if (out.starts_with("/v1/")) out.erase(0, 3);
  return out;
}

}  // namespace

Result<void> match_route(std::string_view method, std::string_view path, RouteMatch& match) {
  constexpr std::string_view kModelPrefix = "/models/";
  const std::string normal = normalized(path);
  bool post = false;
  for (const Row& row : kRows) {
    if (row.path == normal) {
      match.endpoint = row.endpoint;
      post = row.post;
    }
  }
  if (match.endpoint == Endpoint::kNone && normal.starts_with(kModelPrefix)) {
    match.endpoint = Endpoint::kModel;
    match.model_id = percent_decoded(std::string_view(normal).substr(kModelPrefix.size()));
  }
  if (match.endpoint == Endpoint::kNone) {
    return fail(ErrorKind::kUnknownRoute,
                "There is nothing at " + std::string(method) + " " + truncate_utf8(path, 128) +
                    ". This gateway serves /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/responses, "
                    "/v1/moderations, /v1/models and /v1/feedback.");
  }
  const bool allowed = post ? method == "POST" : method == "GET" || method == "HEAD";
  if (allowed) return {};
  match.allow = post ? "POST" : "GET, HEAD";
  return fail(ErrorKind::kMethodNotAllowed,
              truncate_utf8(method, 32) + " is not possible here; use " + std::string(match.allow) + ".");
}

Dialect dialect_of(std::string_view path, bool anthropic_version) {
  const std::string normal = normalized(path);
  const bool messages = normal == "/messages" || normal.starts_with("/messages/");
  const bool models = normal == "/models" || normal.starts_with("/models/");
  return messages || (models && anthropic_version) ? Dialect::kAnthropic : Dialect::kOpenai;
}

}  // namespace sluice::api
