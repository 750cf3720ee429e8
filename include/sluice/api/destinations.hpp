#pragma once
// What a client may not say: where its request goes, with whose credential and with which headers. Other gateways take
// such words from a request; here the configuration alone decides. The list, with reasons: docs/configuration.md.

#include <span>
#include <string_view>

#include "sluice/api/json.hpp"
#include "sluice/core/error.hpp"

namespace sluice::api {

// Names of members, as they are documented.
std::span<const std::string_view> destination_names();
// The same for header fields, in lower case.
std::span<const std::string_view> destination_headers();

// For a watch: lets through whatever could be one of the names.
const json::NameFilter& destination_filter();

// The following fail with kUnsupportedParameter, `param` saying where the name stands. A name counts however it is
// written: api_base, Api-Base, apiBase, api\u005fbase.

// A member of the body, given the way to it. Names inside what belongs to the app (schemas, what tools are given and
// give back) are its own and pass.
Result<void> check_member(std::span<const json::Step> path);
// The query of the request's target. `api-version` passes: Azure's clients send it along.
Result<void> check_query(std::string_view query);
Result<void> check_header(std::string_view name);

}  // namespace sluice::api
