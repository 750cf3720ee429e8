#include "admission/pricing.hpp"

#include <spdlog/spdlog.h>

#include <mutex>
#include <set>

#include "sluice/config/review.hpp"
#include "sluice/core/text.hpp"

namespace sluice::admission {
namespace {

constexpr std::size_t kMostTold = 1000;  // models without a price, of which clients may make up any number
constexpr std::size_t kShown = 64;

// Once for each model, over all reloads. Hardly ever called, and so may lock.
void tell_once(const std::string& provider, const std::string& model) {
  static std::mutex mutex;
  static std::set<std::string> told;
  const std::lock_guard lock(mutex);
  if (told.size() >= kMostTold || !told.insert(provider + "/" + model).second) return;
  spdlog::warn("NO PRICE for {}/{}: it is charged at prices.default until `prices` has a row for it", provider,
               truncate_utf8(model, kShown));
}

}  // namespace

bool has_prices(const config::Config& config) { return !config.prices.rows.empty() || config::has_budgets(config); }

Pricing::Pricing(const config::Config& config)
    : prices_(config.prices), table_(config.prices.rows), on_(has_prices(config)) {}

Result<const config::PriceRow*> Pricing::find(const std::string& provider, const std::string& model,
                                              std::chrono::system_clock::time_point now) const {
  if (const auto* row = table_.find(provider, model, std::chrono::floor<std::chrono::days>(now))) return row;
  if (prices_.unknown == config::UnknownPrice::kRefuse) {
    return fail(
        ErrorKind::kPriceUnknown,
        "This gateway has no price for the model and is configured to refuse it then; its operator can add one.",
        provider + "/" + truncate_utf8(model, kShown));
  }
  tell_once(provider, model);
  return &prices_.unknown_row;
}

}  // namespace sluice::admission
