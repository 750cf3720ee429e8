#pragma once
// Which endpoint a method and path mean. One table, asked once per request, so that every stage sees the same route.

#include <string>
#include <string_view>

#include "sluice/core/endpoint.hpp"
#include "sluice/core/error.hpp"

namespace sluice::api {

struct RouteMatch {
  Endpoint endpoint = Endpoint::kNone;
  std::string model_id;    // GET /v1/models/{id}, percent-decoded; may hold slashes
  std::string_view allow;  // kMethodNotAllowed: the methods there are
};

// The prefix /v1 may be missing, repeated slashes count as one and a trailing slash as none: people write base URLs in
// all these ways, and a redirect would turn a POST into a GET. Errors: kUnknownRoute, kMethodNotAllowed, with `match`
// saying what there is.
Result<void> match_route(std::string_view method, std::string_view path, RouteMatch& match);

// Whose error shape the caller of this path reads. `anthropic_version`: the header is there.
Dialect dialect_of(std::string_view path, bool anthropic_version);

}  // namespace sluice::api
