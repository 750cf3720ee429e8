#pragma once
// The calls of the shared ledger's scripts, as keys and arguments. What they mean stands in limit/lua.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "limit/lease.hpp"
#include "limit/texts.hpp"
#include "sluice/redis/script.hpp"

namespace sluice::limit {

struct ScriptCall {
  const redis::Script* script = nullptr;
  Texts keys;
  Texts args;
};

// A slot or a reservation whose request goes on.
struct Hold {
  const Lease* lease;
  std::size_t place;  // of the take
};

// Immutable; any thread.
class ScriptCalls {
 public:
  struct Settings {
    std::string tag;  // what all keys begin with
    milliseconds lease{0};
    milliseconds remembered{0};
    std::function<WallTime()> clock;  // tests
  };
  explicit ScriptCalls(Settings settings) : settings_(std::move(settings)) {}

  enum class How { kAsk, kGoesOn };
  ScriptCall admit(const Lease& lease, How how) const;
  // Nothing: there is nothing to say.
  std::optional<ScriptCall> settle(const Lease& lease, std::span<const std::int64_t> used) const;
  ScriptCall spend(const std::string& id, std::span<const Spending> spent) const;
  ScriptCall renew(const std::string& replica, std::span<const Hold> holds) const;
  ScriptCall look(std::span<const Limit* const> limits, std::span<const Term> terms) const;
  ScriptCall claim(const std::string& id, const SharedLimit& budget, const Term& term, unsigned percent) const;

  std::string replicas_key() const { return settings_.tag + "replicas"; }
  static bool holds_something(const Take& take);
  // Whether settle() has anything to say of that take.
  static bool changes_books(const Lease& lease, std::size_t place, std::int64_t used);

 private:
  ScriptCall begin(const redis::Script& script, std::size_t takes) const;
  void add_mark(ScriptCall& call, const std::string& id) const;

  const Settings settings_;
};

}  // namespace sluice::limit
