#include "ledger_property.hpp"

#include <algorithm>
#include <string>

#include "limit/calendar.hpp"

namespace sluice::limit {

using namespace std::chrono_literals;

namespace {

bool over(std::int64_t counted, std::int64_t amount, const Limit& limit) { return counted + amount > limit.most; }

}  // namespace

RandomCourse::RandomCourse(LedgerHarness& harness, unsigned seed) : harness_(harness), random_(seed) { add_limits(); }

void RandomCourse::add_limits() {
  const std::chrono::seconds windows[] = {1s, 60s, 3600s};
  for (int rates = 0; rates < 4; ++rates) {
    const Meter meter = rates % 2 == 0 ? Meter::kRequests : Meter::kTokens;
    add({.id = {}, .node = "n", .meter = meter, .most = pick(0, 40), .window = windows[pick(0, 2)]});
  }
  add({.id = {}, .node = "n", .meter = Meter::kConcurrency, .most = pick(1, 12)});
  for (const Period period : {Period::kDay, Period::kWeek, Period::kMonth, Period::kTotal}) {
    if (!chance(60)) continue;
    add({.id = {}, .node = "n", .meter = Meter::kMoney, .most = pick(100, 2000), .period = period});
  }
}

void RandomCourse::add(Limit limit) {
  limit.id = "limit" + std::to_string(limits_.size());
  limit.mode = chance(20) ? Mode::kObserve : Mode::kEnforce;
  limits_.push_back(std::move(limit));
  harness_.ledger().know(limits_.back());
  models_.emplace_back(limits_.back(), harness_.late(limits_.back().window));
}

std::int64_t RandomCourse::pick(std::int64_t least, std::int64_t most) {
  return std::uniform_int_distribution<std::int64_t>(least, most)(random_);
}

LimitModel& RandomCourse::model_of(const Take& take) {
  for (LimitModel& model : models_) {
    if (&model.limit() == take.limit) return model;
  }
  std::abort();
}

void RandomCourse::step() {
  const auto what = pick(1, 100);
  if (what <= 45) return take();
  if (what <= 65) return settle();
  if (what <= 70) return extend();
  if (what <= 75) return look();
  harness_.advance(time_step());
}

// Mostly little, now and then just to or over an edge of a slot, a window or a period.
milliseconds RandomCourse::time_step() {
  const auto to_next = [&](milliseconds width) { return width - harness_.now().time_since_epoch() % width; };
  const auto what = pick(1, 100);
  if (what <= 50) return milliseconds(pick(0, 60));
  if (what <= 65) return to_next(50ms);
  if (what <= 75) return milliseconds(pick(100, 1200));
  if (what <= 80) return 1s;
  if (what <= 90) return milliseconds(pick(1'000, 70'000));
  if (what <= 93) return 60s;
  if (what <= 96) return milliseconds(pick(60'000, 4'000'000));
  if (what <= 98) return to_next(24h) - milliseconds(pick(0, 1));
  return std::chrono::hours(pick(24, 24 * 40));
}

std::vector<Take> RandomCourse::some_takes() {
  std::vector<Take> takes;
  const auto count = pick(1, 6);
  for (std::int64_t i = 0; i < count; ++i) {
    const Limit& limit = limits_[static_cast<std::size_t>(pick(0, std::ssize(limits_) - 1))];
    std::int64_t amount = 1;
    if (limit.meter != Meter::kConcurrency) amount = chance(5) ? pick(0, limit.most * 2) : pick(0, 1 + limit.most / 5);
    takes.push_back({.limit = &limit, .amount = amount});
  }
  return takes;
}

void RandomCourse::take() {
  const auto takes = some_takes();
  Verdict verdict = harness_.admit(takes);
  if (auto* grant = std::get_if<Grant>(&verdict)) return accept(takes, std::move(*grant));
  refuse(takes, std::get<Refusal>(verdict));
}

void RandomCourse::accept(const std::vector<Take>& takes, Grant grant) {
  ++granted_;
  ASSERT_EQ(grant.standings().size(), takes.size());
  Open open{.grant = std::move(grant), .models = {}, .places = {}, .taken = {}};
  for (std::size_t i = 0; i < takes.size(); ++i) {
    LimitModel& model = model_of(takes[i]);
    const Bounds before = model.counted(harness_.now());
    open.models.push_back(&model);
    open.taken.push_back(takes[i].amount);
    open.places.push_back(model.book(takes[i].amount, harness_.now()));
    check_booking(open, i, before);
  }
  open_.push_back(std::move(open));
}

void RandomCourse::check_booking(const Open& open, std::size_t index, Bounds before) {
  const LimitModel& model = *open.models[index];
  const bool observed = (open.grant.observed() >> index & 1) != 0;
  const bool surely_over = over(before.least, open.taken[index], model.limit());
  const bool surely_within = !over(before.most, open.taken[index], model.limit());
  if (model.limit().mode == Mode::kEnforce) {
    EXPECT_FALSE(surely_over) << model.limit().id << " granted " << open.taken[index] << " on " << before.least;
    EXPECT_FALSE(observed);
  } else {
    EXPECT_FALSE(observed ? surely_within : surely_over) << model.limit().id;
  }
  check_standing(model, open.grant.standings()[index]);
}

void RandomCourse::check_standing(const LimitModel& model, const Standing& standing) {
  const Limit& limit = model.limit();
  const WallTime now = harness_.now();
  const Bounds counted = model.counted(now);
  EXPECT_GE(standing.used + standing.reserved, counted.least) << limit.id;
  EXPECT_LE(standing.used + standing.reserved, counted.most) << limit.id;
  if (limit.meter == Meter::kConcurrency) {
    EXPECT_EQ(standing.used, 0);
    EXPECT_EQ(standing.resets_in, 0ms);
  } else if (limit.meter == Meter::kMoney) {
    EXPECT_EQ(standing.used, model.spent(now).used) << limit.id;
    const bool ends = limit.period != Period::kTotal;
    EXPECT_EQ(standing.resets_in, ends ? period_end(limit.period, now) - now : 0ms);
  } else {
    EXPECT_LE(standing.resets_in, limit.window + harness_.late(limit.window));
    if (counted.least > 0) EXPECT_GT(standing.resets_in, 0ms);
  }
}

// The takes before the refused one were made, and given back.
void RandomCourse::refuse(const std::vector<Take>& takes, const Refusal& refusal) {
  ++refused_;
  const WallTime now = harness_.now();
  ASSERT_LT(refusal.index, takes.size());
  std::vector<LimitModel::Place> places;
  for (std::size_t i = 0; i < refusal.index; ++i) {
    LimitModel& model = model_of(takes[i]);
    if (model.limit().mode == Mode::kEnforce) {
      EXPECT_FALSE(over(model.counted(now).least, takes[i].amount, model.limit()));
    }
    places.push_back(model.book(takes[i].amount, now));
  }
  const Take& take = takes[refusal.index];
  LimitModel& model = model_of(take);
  EXPECT_EQ(take.limit->mode, Mode::kEnforce);
  EXPECT_TRUE(over(model.counted(now).most, take.amount, *take.limit))
      << take.limit->id << " refused " << take.amount << " on " << model.counted(now).most;
  EXPECT_GE(refusal.used, model.counted(now).least);
  EXPECT_LE(refusal.used, model.counted(now).most);
  const auto fits_within = model.fits_within(take.amount, now);
  EXPECT_EQ(refusal.retry_after.has_value(), fits_within.has_value()) << take.limit->id;
  if (refusal.retry_after && fits_within) EXPECT_LE(*refusal.retry_after, *fits_within) << take.limit->id;
  for (std::size_t i = 0; i < refusal.index; ++i) model_of(takes[i]).settle(places[i], takes[i].amount, 0, now);
  if (refusal.retry_after && chance(30)) wait_for(take, *refusal.retry_after);
}

void RandomCourse::wait_for(const Take& take, milliseconds retry_after) {
  ++waited_;
  harness_.advance(retry_after);
  Verdict verdict = harness_.admit({take});
  auto* grant = std::get_if<Grant>(&verdict);
  ASSERT_NE(grant, nullptr) << take.limit->id << " still refuses " << take.amount << " after " << retry_after.count();
  accept({take}, std::move(*grant));
}

void RandomCourse::settle() {
  if (open_.empty()) return;
  const auto index = static_cast<std::size_t>(pick(0, std::ssize(open_) - 1));
  std::vector<std::int64_t> used;
  if (chance(80)) {
    for (const std::int64_t taken : open_[index].taken)
      used.push_back(chance(80) ? pick(0, taken) : pick(0, taken * 2));
    if (chance(20)) used.pop_back();
  }
  drop(index, used);
}

void RandomCourse::drop(std::size_t index, std::span<const std::int64_t> used) {
  Open open = std::move(open_[index]);
  open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(index));
  for (std::size_t i = 0; i < open.taken.size(); ++i) {
    open.models[i]->settle(open.places[i], open.taken[i], i < used.size() ? used[i] : 0, harness_.now());
  }
  if (!used.empty()) open.grant.settle(used);
}

void RandomCourse::extend() {
  if (open_.empty() || !harness_.extends()) return;
  Open& open = open_[static_cast<std::size_t>(pick(0, std::ssize(open_) - 1))];
  const std::int64_t amount = pick(0, 300);
  bool fits = true;
  std::vector<std::size_t> extended;
  for (std::size_t i = 0; i < open.taken.size() && fits; ++i) {
    const Limit& limit = open.models[i]->limit();
    if (limit.meter != Meter::kMoney) continue;
    fits = limit.mode == Mode::kObserve || !over(open.models[i]->counted_with(open.places[i]), amount, limit);
    if (!fits) break;
    open.models[i]->extend(open.places[i], amount);
    extended.push_back(i);
  }
  EXPECT_EQ(open.grant.extend(Money::nanodollars(amount)), fits);
  for (const std::size_t i : extended) {
    if (fits) open.taken[i] += amount;
    if (!fits) open.models[i]->extend(open.places[i], -amount);
  }
}

void RandomCourse::look() {
  for (LimitModel& model : models_) check_standing(model, harness_.look(model.limit()));
}

void RandomCourse::finish() {
  while (!open_.empty()) drop(open_.size() - 1, {});
  look();
  for (LimitModel& model : models_) EXPECT_EQ(harness_.look(model.limit()).reserved, 0) << model.limit().id;
  harness_.advance(2h);
  for (LimitModel& model : models_) {
    if (model.limit().meter != Meter::kMoney) EXPECT_EQ(harness_.look(model.limit()).used, 0) << model.limit().id;
  }
}

}  // namespace sluice::limit
