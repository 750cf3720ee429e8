#include <algorithm>

#include "config/sections.hpp"
#include "config/values.hpp"

namespace sluice::config {
namespace {

constexpr std::size_t kMaxName = 256;

class TargetReader {
 public:
  explicit TargetReader(const Config& config) : config_(config) {}

  std::optional<Target> operator()(const Value& value) const {
    auto text = read_text(value);
    if (!text) return std::nullopt;
    auto slash = text->find('/');
    if (slash == 0 || slash == std::string::npos || slash + 1 == text->size()) {
      value.fail(value.shown() + " is not a target; expected provider/model, e.g. openai/gpt-4o, or provider/*");
      return std::nullopt;
    }
    Target target{text->substr(0, slash), text->substr(slash + 1)};
    if (target.model != "*" && target.model.find('*') != std::string::npos) {
      value.fail(value.shown() + ": after the slash comes one model's name, or a lone * for the name that was asked");
      return std::nullopt;
    }
    return known(value, target) ? std::optional(target) : std::nullopt;
  }

 private:
  bool known(const Value& value, const Target& target) const {
    if (config_.providers.contains(target.provider)) return true;
    std::vector<std::string> names;
    for (const auto& [name, provider] : config_.providers) names.push_back(name);
    // The text as written names the provider too, unless a reference hides it.
    bool plain = value.node->text.starts_with(target.provider + "/");
    std::string shown = plain ? in_quotes(target.provider) : "in " + value.shown();
    value.fail("unknown provider " + shown + "; " + suggestion(target.provider, names));
    return false;
  }

  const Config& config_;
};

void read_full(const Value& value, const Config& config, Model& model) {
  MapReader map(value);
  if (!map.read("target", model.target, TargetReader(config))) {
    map.missing("target", "expected provider/model, e.g. openai/gpt-4o");
  }
  map.section("when_off", [&](const Value& target) {
    model.when_off = TargetReader(config)(target);
    if (model.when_off && model.when_off->provider == model.target.provider) {
      target.fail("names the provider of target, which is the one that is off then");
    }
  });
  map.section("timeouts", [&](const Value& section) { read_timeouts(section, model.timeouts); });
  map.section("limits", [&](const Value& section) { read_node_limits(section, model.limits, nullptr); });
  map.read("max_output", model.max_output, amount(1, kMostOutput));
}

void check_name(const Named& entry) {
  if (entry.name.size() > kMaxName) entry.value.fail_key("longer than " + std::to_string(kMaxName) + " bytes");
  has_reference(entry);
}

Model read_model(const Named& entry, const Config& config) {
  Model model;
  model.name = entry.name;
  check_name(entry);
  if (entry.value.node->kind == Node::Kind::kText) {
    if (auto target = TargetReader(config)(entry.value)) model.target = *target;
  } else if (entry.value.node->kind == Node::Kind::kMap) {
    read_full(entry.value, config, model);
  } else {
    entry.value.fail("expected provider/model or a map with target");
  }
  return model;
}

}  // namespace

void read_models(const Value& section, Config& config) {
  auto entries = read_entries(section);
  for (const Named& entry : entries) config.models.push_back(read_model(entry, config));
  bool could_be_full = section.node->kind == Node::Kind::kMap || section.node->kind == Node::Kind::kNull;
  if (entries.empty() && could_be_full)
    section.fail_key("is empty; expected at least one model, e.g. gpt-4o: openai/gpt-4o");
}

}  // namespace sluice::config
