#include "server/guess_endpoint.hpp"

#include "sluice/api/json.hpp"

namespace sluice::server {
namespace {

// An input of many texts, or numbers, is to be embedded; messages are objects.
bool is_for_embeddings(json::Value body, json::Value input) {
  if (json::find(body, "encoding_format") || json::find(body, "dimensions")) return true;
  for (const json::Value item : json::Elements(input)) return !item.is_object();
  return false;
}

}  // namespace

std::optional<Endpoint> endpoint_named(std::string_view name) {
  for (const Endpoint one :
       {Endpoint::kChat, Endpoint::kCompletions, Endpoint::kEmbeddings, Endpoint::kResponses, Endpoint::kModerations}) {
    if (to_string(one) == name) return one;
  }
  return std::nullopt;
}

std::optional<Endpoint> guess_endpoint(std::string_view text) {
  const auto body = json::check(text);
  if (!body || json::find(*body, "messages")) return Endpoint::kChat;
  if (json::find(*body, "prompt")) return Endpoint::kCompletions;
  const auto input = json::find(*body, "input");
  if (!input) return Endpoint::kChat;
  return is_for_embeddings(*body, *input) ? Endpoint::kEmbeddings : Endpoint::kResponses;
}

}  // namespace sluice::server
