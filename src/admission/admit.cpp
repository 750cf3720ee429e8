#include <algorithm>
#include <cstdlib>

#include "admission/claim.hpp"
#include "admission/refusals.hpp"
#include "sluice/admission/stages.hpp"

namespace sluice::admission {
namespace {

using observe::Phase;
using observe::Stage;

limit::WallTime wall_now() { return std::chrono::floor<milliseconds>(std::chrono::system_clock::now()); }

// How long the client says it waits, in its official SDK's words; nothing it says is believed beyond a day.
std::optional<milliseconds> patience_of(const http::RequestHead& head) {
  for (std::string_view name : {"x-stainless-timeout", "x-stainless-read-timeout"}) {
    const std::string text(head.get(name));
    char* end = nullptr;
    const double seconds = std::strtod(text.c_str(), &end);
    const bool number = !text.empty() && end == text.c_str() + text.size();
    if (number && seconds > 0 && seconds < 86'400) return milliseconds(static_cast<std::int64_t>(seconds * 1000));
  }
  return std::nullopt;
}

class Admit final : public pipeline::Middleware {
 public:
  Admit(const config::Config& config, std::shared_ptr<const Paths> paths, Books books)
      : config_(config), paths_(std::move(paths)), pricing_(config), books_(books) {}

  Task<Result<void>> handle(pipeline::Exchange& exchange, pipeline::Next next) const override {
    Claim claim(exchange, books_);
    if (auto good = claim.make(*paths_, pricing_, config_); !good) co_return good;
    if (!claim.takes().empty()) {
      if (auto granted = co_await take(exchange, claim); !granted) co_return granted;
    }
    exchange.record.reached(Stage::kAdmit);
    auto result = co_await next(exchange);
    claim.ended(result);
    co_return result;
  }

 private:
  // Whoever finds others waiting for the same slots waits behind them.
  Task<Result<void>> take(pipeline::Exchange& exchange, Claim& claim) const {
    const limit::Limit* lacking = nullptr;
    if (!claim.needs_slot() || !books_.room.must_wait(claim.takes())) {
      auto verdict = books_.ledger.admit_now(claim.takes(), wall_now());
      if (!verdict) {
        auto answer = co_await books_.ledger.admit(claim.takes(), wall_now());
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
    limit::Wish wish;
    wish.takes = claim.takes();
    wish.lacking = lacking;
    if (exchange.key != nullptr) {
      wish.priority = exchange.key->priority;
      wish.key = exchange.key->name;
    }
    if (const auto patience = patience_of(exchange.request.head)) wish.due = exchange.record.started + *patience;
    auto verdict = co_await books_.room.enter(
        std::move(wish), [this, &claim] { return books_.ledger.admit(claim.takes(), wall_now()); });
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

std::shared_ptr<const Paths> make_paths(const config::Config& config, limit::Ledger& ledger) {
  return std::make_shared<const Paths>(config, ledger);
}

std::unique_ptr<pipeline::Middleware> make_admit(const config::Config& config, std::shared_ptr<const Paths> paths,
                                                 Books books) {
  return std::make_unique<Admit>(config, std::move(paths), books);
}

}  // namespace sluice::admission
