#include "sluice/config/model_names.hpp"

#include <algorithm>

#include "sluice/core/text.hpp"

namespace sluice::config {

std::optional<Target> parse_target(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == 0 || slash == text.npos || slash + 1 == text.size()) return std::nullopt;
  return Target{.provider = std::string(text.substr(0, slash)), .model = std::string(text.substr(slash + 1))};
}

ModelNames::ModelNames(const Config& config) : config_(config) {
  for (const Model& model : config.models) {
    if (model.name.find('*') == std::string::npos) {
      exact_.emplace(model.name, &model);
    } else {
      globs_.push_back(&model);
    }
  }
}

ModelNames::Meaning ModelNames::find(std::string_view name) const {
  if (const auto exact = exact_.find(name); exact != exact_.end()) return {exact->second};
  if (auto target = parse_target(name); target && config_.providers.contains(target->provider)) {
    return {nullptr, std::move(target)};
  }
  const auto matches = [&](const Model* model) { return glob_match(model->name, name); };
  if (const auto glob = std::ranges::find_if(globs_, matches); glob != globs_.end()) return {*glob};
  return {};
}

}  // namespace sluice::config
