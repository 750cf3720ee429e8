#include "config/model_uses.hpp"

#include <algorithm>
#include <optional>

#include "config/values.hpp"
#include "sluice/config/model_names.hpp"

namespace sluice::config {
namespace {

constexpr std::size_t kMostListed = 8;
constexpr std::size_t kMostCircles = 20;

// The models that lead to others, and where to. Finds circles.
class Ways {
 public:
  explicit Ways(const Config& config) : config_(config), from_(config.models.size()) {}

  void add(const ModelUse& use, const Model& to) {
    from_[use.model].push_back({&use, static_cast<std::size_t>(&to - config_.models.data())});
  }

  void check() {
    for (std::size_t i = 0; i < kMostCircles && !find_circle().empty(); ++i) report_and_cut();
  }

 private:
  struct Way {
    const ModelUse* use;
    std::size_t to;
  };

  // What leads nowhere is taken away again and again; what is left leads round and round.
  std::vector<bool> endless() const {
    std::vector<std::size_t> open(from_.size());
    std::vector<std::vector<std::size_t>> into(from_.size());
    std::vector<std::size_t> done;
    for (std::size_t i = 0; i < from_.size(); ++i) {
      open[i] = from_[i].size();
      for (const Way& way : from_[i]) into[way.to].push_back(i);
      if (open[i] == 0) done.push_back(i);
    }
    std::vector<bool> left(from_.size(), true);
    while (!done.empty()) {
      const std::size_t at = done.back();
      done.pop_back();
      left[at] = false;
      for (const std::size_t before : into[at]) {
        if (--open[before] == 0) done.push_back(before);
      }
    }
    return left;
  }

  const std::vector<Way*>& find_circle() {
    circle_.clear();
    const auto left = endless();
    const auto start = std::ranges::find(left, true);
    if (start == left.end()) return circle_;
    std::vector<std::size_t> met(left.size(), left.size());  // at which step
    std::size_t at = static_cast<std::size_t>(start - left.begin());
    while (met[at] == left.size()) {
      met[at] = circle_.size();
      Way& way = *std::ranges::find_if(from_[at], [&](const Way& one) { return left[one.to]; });
      circle_.push_back(&way);
      at = way.to;
    }
    circle_.erase(circle_.begin(), circle_.begin() + static_cast<std::ptrdiff_t>(met[at]));
    return circle_;
  }

  // At the place furthest back in the file: that one was written with the others in view.
  void report_and_cut() {
    const auto line = [](const Way* way) { return std::pair(way->use->value.at.line, way->use->value.at.column); };
    const auto last = std::ranges::max_element(circle_, {}, line);
    std::ranges::rotate(circle_, last + 1);
    const Way closing = *circle_.back();
    std::string told = name_of(closing.use->model);
    std::ranges::rotate(circle_, circle_.end() - 1);
    for (std::size_t i = 0; i < std::min(circle_.size(), kMostListed); ++i) told += " → " + name_of(circle_[i]->to);
    if (circle_.size() > kMostListed) told += " → …";
    closing.use->value.fail("leads back to where it began: " + told);
    std::erase_if(from_[closing.use->model], [&](const Way& way) { return way.use == closing.use; });
  }

  std::string name_of(std::size_t model) const { return in_quotes(config_.models[model].name); }

  const Config& config_;
  std::vector<std::vector<Way>> from_;
  std::vector<Way*> circle_;
};

std::string advice(const std::string& name, const std::vector<std::string>& known) {
  std::string near = suggestion(name, known);
  if (near.starts_with("did you mean") || known.size() <= kMostListed) return near;
  return "expected the name of an entry of models, or provider/model";
}

}  // namespace

void check_model_uses(const Config& config, const ModelUses& uses) {
  const ModelNames names(config);
  std::vector<std::string> known;
  for (const Model& model : config.models) {
    if (model.name.find('*') == std::string::npos) known.push_back(model.name);
  }
  Ways ways(config);
  for (const ModelUse& use : uses) {
    const auto meant = names.find(use.name);
    const std::size_t star = use.name.find('*');
    if (!meant) {
      use.value.fail("unknown model " + use.value.shown() + "; " + advice(use.name, known));
    } else if (star != std::string::npos && (!meant.target || meant.target->model != "*")) {
      use.value.fail(use.value.shown() + ": expected one model's name, or provider/*");
    } else if (meant.entry == &config.models[use.model] && !use.leads) {
      use.value.fail(use.value.shown() + " is this very model");
    } else if (meant.entry != nullptr && use.leads) {
      ways.add(use, *meant.entry);
    }
  }
  ways.check();
}

std::optional<std::string> ModelEntry::named(const Value& value, bool leads) const {
  auto name = read_name(value);
  if (!name) return std::nullopt;
  if (name->empty()) {
    value.fail("must not be empty");
    return std::nullopt;
  }
  uses.push_back({static_cast<std::size_t>(&model - config.models.data()), value, *name, leads});
  return name;
}

std::vector<std::string> ModelEntry::named_list(const Value& list) const {
  std::vector<std::string> out;
  const auto items = read_items(list);
  if (items.size() > kMostTargets) list.fail("more than " + std::to_string(kMostTargets) + " models");
  if (items.size() > kMostTargets) return out;
  for (const Value& item : items) {
    auto name = named(item);
    if (!name) continue;
    if (std::ranges::find(out, *name) != out.end()) item.fail(item.shown() + " is already in the list");
    out.push_back(std::move(*name));
  }
  return out;
}

}  // namespace sluice::config
