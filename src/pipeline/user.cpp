#include "sluice/pipeline/user.hpp"

#include "sluice/core/text.hpp"

namespace sluice::pipeline {
std::string user_of(const pipeline::Exchange& exchange, const std::vector<std::string>& headers) {
  if (!exchange.end_user.empty()) return std::string(exchange.end_user);
  for (const std::string& name : headers) {
    if (const auto value = trim(exchange.request.head.get(name)); !value.empty()) return std::string(value);
  }
  std::string user = exchange.view->text("safety_identifier");
  return user.empty() ? exchange.view->text("user") : user;
}

}  // namespace sluice::pipeline
