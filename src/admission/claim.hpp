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

class Claim {
 public:
  Claim(pipeline::Exchange& exchange, Books books) : exchange_(exchange), books_(books) {}
  ~Claim();  // settles
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  // Finds the limits on the request's path, and how much of each it may come to use.
  Result<void> make(const Paths& paths, const Pricing& pricing, const config::Config& config);
  const std::vector<limit::Take>& takes() const { return takes_; }
  bool needs_slot() const { return needs_slot_; }

  // What the ledger said: the grant is kept until the end, a refusal becomes the request's error.
  Result<void> decided(limit::Verdict verdict);
  // No slot came free; of which limit, if that is known.
  void turned_away(const limit::Limit* lacking);
  // How the exchange ended, if it came to an end by itself.
  void ended(const Result<void>& result);

 private:
  void granted(limit::Grant grant);
  void take(const Limits& limits);
  void take(const limit::Limit& limit);
  void find_users(const Path& path, const config::Config& config);
  void count_unreported();
  Result<void> may_go_on(std::int64_t output);

  pipeline::Exchange& exchange_;
  Books books_;
  std::vector<limit::Take> takes_;
  std::vector<std::shared_ptr<const Limits>> users_;  // keeps their limits alive
  bool needs_slot_ = false;
  bool priced_ = false;
  bool upstream_refused_ = false;  // nothing was used
  const config::PriceRow* price_ = nullptr;
  Demand demand_;
  Money reserved_;
  limit::Grant grant_;
  std::vector<std::int64_t> used_;  // room for the settling, which must not fail
};

}  // namespace sluice::admission
