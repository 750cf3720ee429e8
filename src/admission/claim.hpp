#pragma once
// One request's part in the books: what it wants, what it was granted, and the settling, which happens however the
// exchange ends.

#include <memory>
#include <vector>

#include "admission/demand.hpp"
#include "admission/paths.hpp"
#include "admission/pricing.hpp"
#include "sluice/admission/stages.hpp"
#include "sluice/pipeline/exchange.hpp"

namespace sluice::admission {

class Claim final : public pipeline::Account {
 public:
  // All that is given outlives it.
  Claim(pipeline::Exchange& exchange, Books books, const Paths& paths, const Pricing& pricing)
      : exchange_(exchange), books_(books), paths_(paths), pricing_(pricing) {}
  ~Claim() override;  // settles
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  // Finds the limits on the request's path, and how much of each it may come to use.
  Result<void> make(const config::Config& config);
  const std::vector<limit::Take>& takes() const { return takes_; }
  // After make(): the most that it may come to use, at the dearest of the places that may be asked.
  Demand worst_case() const;
  // What a place charges; null: nothing.
  Result<const config::PriceRow*> price_of(const std::string& provider, const std::string& model) const;
  bool needs_slot() const { return needs_slot_; }

  // What the ledger said: the grant is kept until the end, a refusal becomes the request's error.
  Result<void> decided(limit::Verdict verdict);
  // No slot came free; of which limit, if that is known.
  void turned_away(const limit::Limit* lacking);
  // How the exchange ended, if it came to an end by itself.
  void ended(const Result<void>& result);

  Task<Result<void>> move_to(const pipeline::Place& place) override;
  Money cost_of(const Usage& usage) const override;
  void lost(const pipeline::Place& place, const Usage& usage) override;

 private:
  // What was taken of the limits of a provider that was asked later.
  struct Move {
    const std::string* provider;
    limit::Grant grant;
    std::vector<std::int64_t> used;
  };

  void estimate();
  bool counts_tokens() const;
  const std::string& model_of(const pipeline::Place& place) const;
  std::int64_t used_at(const limit::Limit& limit, bool here) const;
  void settle(limit::Grant& grant, std::vector<std::int64_t>& used, const std::string* provider);
  void granted(limit::Grant grant);
  void take(const Limits& limits);
  void take(const limit::Limit& limit);
  void find_users(const Path& path, const config::Config& config);
  void count_unreported();
  Result<void> may_go_on(std::int64_t output);

  pipeline::Exchange& exchange_;
  Books books_;
  const Paths& paths_;
  const Pricing& pricing_;
  std::vector<limit::Take> takes_;
  std::vector<std::shared_ptr<const Limits>> users_;  // keeps their limits alive
  bool needs_slot_ = false;
  bool priced_ = false;
  bool upstream_refused_ = false;  // nothing was used
  const config::PriceRow* price_ = nullptr;
  std::int64_t max_output_ = 0;                      // of an answer whose request names no maximum
  std::size_t provider_from_ = 0, provider_to_ = 0;  // the takes of the first provider's limits
  std::string first_provider_;
  std::vector<Move> moves_;
  Usage lost_;  // at places whose answer nobody got
  Money lost_cost_;
  Demand demand_;
  Money reserved_;
  limit::Grant grant_;
  std::vector<std::int64_t> used_;  // room for the settling, which must not fail
};

}  // namespace sluice::admission
