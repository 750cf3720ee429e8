#pragma once
// Which members of a request body the gateway understands, and what they may be. Everything else passes untouched.

#include <cstdint>
#include <span>
#include <string_view>

#include "sluice/api/request_view.hpp"

namespace sluice::api {

struct FieldRule {
  std::string_view name;
  bool required = false;
  bool nullable = true;  // null counts as absent
  bool (*accepts)(json::Value) = nullptr;
  std::string_view wanted;  // completes "must be …"
  // For values with an inside: names the member at fault itself. Called once `accepts` agreed.
  Result<void> (*examine)(json::Value) = nullptr;
  void (*store)(RequestView&, json::Value) = nullptr;
};

// Empty for endpoints without a body.
std::span<const FieldRule> rules_of(Endpoint endpoint);

// "Invalid value for 'param': it must be <wanted>, not <value>." with the value cut short.
std::unexpected<Error> invalid_value(std::string_view param, std::string_view wanted, json::Value value);
std::unexpected<Error> missing_field(std::string_view param);

// Every message must be an object with a known role; a tool's answer names its call.
Result<void> examine_messages(json::Value messages);

}  // namespace sluice::api
