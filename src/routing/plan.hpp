#pragma once
// The targets that one exchange may ask, in order: those of its route by the route's strategy, then those it falls back
// to. Belongs to Resolve's frame; one thread.

#include <boost/container/small_vector.hpp>
#include <optional>
#include <span>

#include "routing/blame.hpp"
#include "routing/chooser.hpp"
#include "routing/facts.hpp"
#include "routing/target_state.hpp"
#include "sluice/routing/router.hpp"

namespace sluice::routing {

// Who is asked now.
struct Errand {
  const Target* target = nullptr;
  std::size_t credential = 0;
  std::optional<TargetState::Attempt> leave{};  // of the breaker; nothing: the target has none
};

// Puts down on the record that the request goes there.
void note_target(observe::Record& record, const Target& target);

// What a plan goes by, beside the route. `facts` outlives it.
struct PlanSources {
  const Facts& facts;
  std::uint64_t sticky = 0;  // strategy sticky: the same for requests that belong together
  std::uint64_t random = 0;
  std::int64_t tokens = 0;  // that the request may need, roughly
};

class Plan {
 public:
  Plan(const Route& alias, const Route& route, const PlanSources& sources, TimePoint now);
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  const Route& alias() const { return alias_; }  // the entry that was asked for
  const Route& route() const { return route_; }  // the one that answers
  // Those of the route, as they will be tried; what cannot be asked at the moment is left out, unless it is the only
  // one.
  std::span<const Target* const> order() const { return order_; }
  // Whom it would ask first; null: nobody can answer at all.
  const Target* first() const;

  // Whom to ask now, passing over those that cannot be. Nothing: nobody is left.
  std::optional<Errand> next(TimePoint now);
  // The last one failed for that reason: says who comes next.
  void failed(Reason reason, TimePoint now);
  // All over again, for another round.
  void begin_anew(TimePoint now);
  // Whether another target may be asked if this one fails.
  bool has_more() const;

  // Why next() found nobody: all are out, or rest, and when the first of them is back.
  Error nobody(TimePoint now) const;

 private:
  void enter(const Route& route, TimePoint now);
  bool enter_next(TimePoint now);
  std::optional<Errand> errand_to(const Target& target, TimePoint now);
  void is_out(TimePoint until) { back_at_ = std::min(back_at_, until); }

  const Route& alias_;
  const Route& route_;
  PlanSources sources_;
  boost::container::small_vector<const Target*, 8> order_;
  std::size_t place_ = 0;
  const Target* current_ = nullptr;
  const Target* again_ = nullptr;  // with another credential
  const std::vector<const Route*>* fallbacks_;
  std::size_t next_fallback_ = 0;
  TimePoint back_at_ = kNever;  // of those that were passed over
  bool rate_limited_ = false;   // one was, because its credentials rest
  bool quarantined_ = false;    // one was, because its credentials were refused
};

}  // namespace sluice::routing
