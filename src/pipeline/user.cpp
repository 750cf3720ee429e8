#include "sluice/pipeline/user.hpp"

#include "sluice/core/text.hpp"

namespace sluice::pipeline {
namespace {

std::string text_member(const api::RequestView& view, std::string_view name) {
  const json::Member* member = view.member(name);
  return member == nullptr ? std::string() : json::text_of(member->value);
}

}  // namespace

std::string user_of(const pipeline::Exchange& exchange, const std::vector<std::string>& headers) {
  for (const std::string& name : headers) {
    if (const auto value = trim(exchange.request.head.get(name)); !value.empty()) return std::string(value);
  }
  std::string user = text_member(*exchange.view, "safety_identifier");
  return user.empty() ? text_member(*exchange.view, "user") : user;
}

}  // namespace sluice::pipeline
