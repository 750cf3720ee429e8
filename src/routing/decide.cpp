#include "routing/decide.hpp"

#include <bit>

#include "routing/random.hpp"
#include "routing/rules.hpp"
#include "routing/stable_hash.hpp"

namespace sluice::routing {
namespace {

void add(std::string& reasons, const std::string& more) {
  if (!reasons.empty()) reasons += "; ";
  reasons += more;
}

const Route* by_rule(const Route& from, const Facts& facts, Decided& decided) {
  const Decision decision = choose(*from.rules, facts);
  if (decision.shadows != 0 && decided.shadow == nullptr) {
    const auto first = static_cast<std::size_t>(std::countr_zero(decision.shadows));
    decided.shadow = from.uses[first];
    decided.shadow_reason = reason(*from.rules, first, facts);
  }
  if (decision.rule == nullptr) return nullptr;
  add(decided.reason, reason(*from.rules, decision.index, facts));
  return from.uses[decision.index];
}

const Route* by_split(const Route& from, std::string_view who, std::uint64_t random, Decided& decided) {
  const double place = who.empty() ? uniform(random) * 100 : stable_percent(from.model.name, who);
  double upto = 0;
  for (const Branch& branch : from.split) {
    upto += branch.percent;
    if (place >= upto) continue;
    add(decided.reason, "split \"" + branch.name + "\": " + std::to_string(branch.percent) + " %");
    return branch.to;
  }
  return nullptr;
}

}  // namespace

Decided decide(const Route& alias, const Facts& facts, std::string_view who, std::uint64_t random) {
  Decided decided{.route = &alias};
  for (unsigned step = 0; step < kMostSteps; ++step) {
    const Route* next = nullptr;
    if (decided.route->rules) {
      next = by_rule(*decided.route, facts, decided);
    } else if (!decided.route->split.empty()) {
      next = by_split(*decided.route, who, random, decided);
    }
    if (next == nullptr) return decided;
    decided.route = next;
  }
  return decided;
}

}  // namespace sluice::routing
