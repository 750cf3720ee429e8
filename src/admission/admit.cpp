#include "admission/claim.hpp"
#include "admission/refusals.hpp"
#include "sluice/admission/stages.hpp"
#include "sluice/pipeline/deadline.hpp"

namespace sluice::admission {
namespace {

using observe::Phase;
using observe::Stage;

class Admit final : public pipeline::Middleware {
 public:
  Admit(const config::Config& config, std::shared_ptr<const Paths> paths, Books books)
      : config_(config), paths_(std::move(paths)), pricing_(config), books_(books) {}

  Task<Result<void>> handle(pipeline::Exchange& exchange, pipeline::Next next) const override {
    Claim claim(exchange, books_, *paths_, pricing_);
    if (auto good = claim.make(config_); !good) co_return good;
    exchange.account = &claim;
    if (!claim.takes().empty()) {
      if (auto granted = co_await take(exchange, claim); !granted) co_return granted;
    }
    exchange.record.reached(exchange.record.phase == Phase::kQueue ? Stage::kQueue : Stage::kAdmit);
    auto result = co_await next(exchange);
    claim.ended(result);
    co_return result;
  }

 private:
  // Whoever finds others waiting for the same slots waits behind them.
  Task<Result<void>> take(pipeline::Exchange& exchange, Claim& claim) const {
    const limit::Limit* lacking = nullptr;
    if (!claim.needs_slot() || !books_.room.must_wait(claim.takes())) {
      auto verdict = books_.ledger.admit_now(claim.takes(), limit::wall_now());
      if (!verdict) {
        auto answer = co_await books_.ledger.admit(claim.takes(), limit::wall_now());
        if (!answer) co_return std::unexpected(std::move(answer.error()));
        verdict = std::move(*answer);
      }
      lacking = lacking_slot(*verdict, claim);
      if (lacking == nullptr) co_return claim.decided(std::move(*verdict));
    }
    co_return co_await wait(exchange, claim, lacking);
  }

  static const limit::Limit* lacking_slot(const limit::Verdict& verdict, const Claim& claim) {
    const auto* refusal = std::get_if<limit::Refusal>(&verdict);
    if (refusal == nullptr) return nullptr;
    const limit::Limit* limit = claim.takes()[refusal->index].limit;
    return limit->meter == Meter::kConcurrency ? limit : nullptr;
  }

  Task<Result<void>> wait(pipeline::Exchange& exchange, Claim& claim, const limit::Limit* lacking) const {
    exchange.record.phase = Phase::kQueue;
    exchange.record.reached(Stage::kAdmit);
    limit::Wish wish;
    wish.takes = claim.takes();
    wish.lacking = lacking;
    if (exchange.key != nullptr) {
      wish.priority = exchange.key->priority;
      wish.key = exchange.key->name;
    }
    if (const auto deadline = pipeline::deadline_of(exchange); deadline != kNever) wish.due = deadline;
    auto verdict = co_await books_.room.enter(
        std::move(wish), [this, &claim] { return books_.ledger.admit(claim.takes(), limit::wall_now()); });
    if (!verdict) {
      claim.turned_away(lacking);
      co_return std::unexpected(std::move(verdict.error()));
    }
    co_return claim.decided(std::move(*verdict));
  }

  const config::Config& config_;
  std::shared_ptr<const Paths> paths_;
  Pricing pricing_;
  Books books_;
};

}  // namespace

const config::Tags* tags_of(const Paths& paths, const config::Key* key) { return &paths.of_key(key).tags; }

Task<std::optional<double>> budget_left(const Paths& paths, const config::Key* key) {
  std::vector<const limit::Limit*> budgets;
  for (const limit::Limit* limit : paths.of_key(key).limits) {
    if (limit->meter == Meter::kMoney && limit->most > 0) budgets.push_back(limit);
  }
  if (budgets.empty()) co_return std::nullopt;
  const auto standings = co_await paths.ledger().look(budgets, limit::wall_now());
  if (!standings) co_return std::nullopt;
  double least = 100;
  for (std::size_t i = 0; i < budgets.size(); ++i) {
    const auto& standing = (*standings)[i];
    const double used = static_cast<double>(standing.used + standing.reserved);
    least = std::min(least, 100 * (1 - used / static_cast<double>(budgets[i]->most)));
  }
  co_return std::max(least, 0.0);
}

std::shared_ptr<const Paths> make_paths(const config::Config& config, limit::Ledger& ledger) {
  return std::make_shared<const Paths>(config, ledger);
}

std::unique_ptr<pipeline::Middleware> make_admit(const config::Config& config, std::shared_ptr<const Paths> paths,
                                                 Books books) {
  return std::make_unique<Admit>(config, std::move(paths), books);
}

}  // namespace sluice::admission
