// Redis decides.

#include <utility>

#include "limit/desk.hpp"
#include "limit/redis_scripts.hpp"

namespace sluice::limit {
namespace {

constexpr int kTries = 3;

bool connection_lost(const Error& error) { return error.detail.starts_with(redis::to_string(redis::Failure::kClosed)); }

constexpr std::string_view kOddAnswer = "an answer no script gives";

}  // namespace

// Tries again, under the same id, when the connection was lost or the period is another one by Redis' clock.
Task<Desk::Answer> Desk::ask(Lease& lease) {
  const TimePoint due = Clock::now() + books_->options.deadline;
  bool told = false;
  for (int tries = 0; tries < kTries; ++tries) {
    const auto reply = co_await try_once(lease, due);
    if (!reply && reply.error().kind == ErrorKind::kClientGone) co_return Answer{.error = reply.error()};
    if (!reply) {
      told |= !surely_not_sent(reply.error());
      if (connection_lost(reply.error()) && Clock::now() < due) continue;
      break;
    }
    told = true;
    if (auto decision = understand(lease, *reply)) co_return Answer{.decision = std::move(decision)};
  }
  co_return Answer{.told = told};
}

// Whoever is cancelled meanwhile will not settle what may have been taken.
Task<Result<redis::Reply>> Desk::try_once(const Lease& lease, TimePoint due) {
  const ScriptCall call = books_->calls.admit(lease, ScriptCalls::How::kAsk);
  const auto keys = call.keys.views();
  const auto args = call.args.views();
  try {
    auto reply = co_await client_.eval(*call.script, keys, args, due);
    if (!reply && reply.error().kind == ErrorKind::kClientGone) give_up(lease);
    co_return reply;
  } catch (...) {
    give_up(lease);
    throw;
  }
}

// Nothing: no decision.
std::optional<Decision> Desk::understand(Lease& lease, const redis::Reply& reply) {
  auto read = read_admit(reply, lease.takes.size());
  if (!read) {
    books_->script_error(reply.is_error() ? std::string_view(reply.text) : kOddAnswer);
    return std::nullopt;
  }
  if (const auto* other = std::get_if<OtherTerm>(&*read)) {
    saw_clock(other->at);
    lease.terms = terms_of(lease.takes, WallTime(milliseconds(other->at)));
    return std::nullopt;
  }
  if (const auto* refused = std::get_if<Refused>(&*read)) {
    saw_clock(refused->at);
    ++books_->tally.shared;
    return refused->refusal;
  }
  auto* booked = std::get_if<Booked>(&*read);
  if (booked == nullptr) return std::nullopt;
  saw_clock(booked->at);
  saw_budgets(lease, booked->standings);
  ++books_->tally.shared;
  lease.booked_at = booked->at;
  return Admitted{.place = running_.add({.lease = std::move(lease)}),
                  .observed = booked->observed,
                  .standings = std::move(booked->standings)};
}

void Desk::saw_budgets(const Lease& lease, const std::vector<Standing>& standings) {
  for (std::size_t i = 0; i < lease.takes.size(); ++i) {
    SharedLimit& state = shared(*lease.takes[i].limit);
    if (state.kind() != Kind::kBudget) continue;
    state.budget().saw(lease.terms[i], standings[i].used + standings[i].reserved);
  }
}

Task<Result<std::vector<Standing>>> Desk::look(std::vector<const Limit*> limits, WallTime now) {
  const TimePoint due = Clock::now() + books_->options.deadline;
  WallTime at = shared_now(now);
  for (int tries = 0; tries < kTries; ++tries) {
    std::vector<Term> terms;
    for (const Limit* limit : limits) terms.push_back(term_of(*limit, at));
    const ScriptCall call = books_->calls.look(limits, terms);
    const auto keys = call.keys.views();
    const auto args = call.args.views();
    auto reply = co_await client_.eval(*call.script, keys, args, due);
    if (!reply) co_return std::unexpected(std::move(reply).error());
    auto read = read_look(*reply, limits.size());
    if (!read) {
      books_->script_error(reply->is_error() ? std::string_view(reply->text) : kOddAnswer);
      break;
    }
    if (auto* seen = std::get_if<Booked>(&*read)) co_return std::move(seen->standings);
    at = WallTime(milliseconds(std::get<OtherTerm>(*read).at));
  }
  co_return fail(ErrorKind::kRedisUnavailable, "Redis cannot say how the limits stand.", std::string(kOddAnswer));
}

}  // namespace sluice::limit
