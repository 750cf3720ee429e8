#pragma once
// Which model answers a request, by the rules of an entry of `models`. Built once per configuration, immutable, shared
// by all workers. docs/routing.md tells what conditions mean.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "routing/facts.hpp"
#include "sluice/config/config.hpp"

namespace sluice::routing {

// Whether all of them do. Allocates nothing, does not throw.
bool holds(std::span<const config::Condition> conditions, const Facts& facts);

class Rules {
 public:
  explicit Rules(std::vector<config::Rule> rules);  // of a checked configuration
  const std::vector<config::Rule>& all() const { return rules_; }
  // Whether some rule asks for it: what is dear to find out need not be found out else.
  bool ask_for(config::Fact fact) const { return (asked_ & config::bit_of(fact)) != 0; }
  // "rule \"cheap\"", "rule 2"
  std::string label(std::size_t index) const;

 private:
  std::vector<config::Rule> rules_;  // conditions of each: what is cheap to test comes first
  config::FactSet asked_ = 0;
};

struct Decision {
  const config::Rule* rule = nullptr;  // the first that holds; null: none does, which a checked configuration excludes
  std::size_t index = 0;               // its place
  std::uint64_t shadows = 0;           // bit n: rule n is a shadow, and would have come before this one
};

// Allocates nothing, does not throw.
Decision choose(const Rules& rules, const Facts& facts);

// `rule "cheap": tools absent, complexity 0.12 <= 0.3`: why a rule held, for whoever runs the gateway. Nothing that
// the client wrote is in it.
std::string reason(const Rules& rules, std::size_t index, const Facts& facts);
// `rule "cheap": complexity is 0.43, not <= 0.3`: the first condition that kept a rule from holding.
std::string obstacle(const Rules& rules, std::size_t index, const Facts& facts);

}  // namespace sluice::routing
