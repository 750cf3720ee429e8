#pragma once
// Which members of a request body the gateway understands, and what they may be. Everything else passes untouched.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "sluice/api/destinations.hpp"
#include "sluice/api/request_view.hpp"

namespace sluice::api {

struct FieldRule {
  std::string_view name;
  bool required = false;
  bool nullable = true;  // null counts as absent
  bool (*accepts)(json::Value) = nullptr;
  std::string_view wanted;  // completes "must be …"
  // For values with an inside: names the member at fault itself. Called once `accepts` agreed.
  Result<void> (*examine)(json::Value, std::string_view body) = nullptr;
  void (*store)(RequestView&, json::Value) = nullptr;
};

// Empty for endpoints without a body.
std::span<const FieldRule> rules_of(Endpoint endpoint);

// " at byte N": where `part` lies in the body.
std::string at_byte(std::string_view part, std::string_view body);
// "Invalid value for 'param': it must be <wanted>, not <value> at byte N." with the value cut short.
std::unexpected<Error> invalid_value(std::string_view param, std::string_view wanted, json::Value value,
                                     std::string_view body);
// `object` is the one that should hold it.
std::unexpected<Error> missing_field(std::string_view param, json::Value object, std::string_view body);

// What is examined while a body is read, since it may stand anywhere or makes up most of it: every message must be an
// object with a known role, a tool's answer names its call; and no member may say where the request goes.
class RequestWatch final : public json::Watch {
 public:
  struct Message {
    std::optional<json::Value> role, content, tool_call_id;
  };
  explicit RequestWatch(std::string_view body) : Watch("messages", destination_filter()), body_(body) {}
  void member(const json::Member& member) override;
  void element(json::Value element) override;
  void name(std::span<const json::Step> path) override;
  Result<void>& messages() { return messages_; }
  Result<void>& destinations() { return destinations_; }
  bool has_parts() const { return has_parts_; }
  bool has_tool_results() const { return has_tool_results_; }
  std::size_t count() const { return count_; }
  json::Value first_user() const { return first_user_; }
  json::Value last_user() const { return last_user_; }

 private:
  Result<void> examine(const Message& message, json::Value element, std::size_t index) const;

  std::string_view body_;
  Message message_;
  std::size_t count_ = 0;
  json::Value first_user_;
  json::Value last_user_;
  bool has_parts_ = false;
  bool has_tool_results_ = false;
  Result<void> messages_;
  Result<void> destinations_;
};

}  // namespace sluice::api
