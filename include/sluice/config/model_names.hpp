#pragma once
// What a name in `use`, `fallback`, `split` and `mirror` stands for. Immutable; any thread may ask.

#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sluice/config/config.hpp"

namespace sluice::config {

// "provider/model", split at the first slash; nothing unless there is something on both sides.
std::optional<Target> parse_target(std::string_view text);

class ModelNames {
 public:
  explicit ModelNames(const Config& config);  // which outlives this and does not change

  struct Meaning {
    const Model* entry = nullptr;
    std::optional<Target> target{};  // without an entry: provider/model
    explicit operator bool() const { return entry != nullptr || target.has_value(); }
  };
  // An entry of this very name; else provider/model, if there is that provider; else the first entry whose glob
  // matches. Neither: nobody knows it. A target's lone * forwards the name by which its entry was found, so here this
  // very name; that of a provider/* the name that the app asked for.
  Meaning find(std::string_view name) const;

 private:
  const Config& config_;
  std::unordered_map<std::string_view, const Model*> exact_;
  std::vector<const Model*> globs_;
};

}  // namespace sluice::config
