#pragma once
// Which row of the price table holds for a request, and what to do where there is none.

#include <atomic>
#include <chrono>
#include <string>

#include "sluice/config/config.hpp"
#include "sluice/config/price_table.hpp"
#include "sluice/core/error.hpp"

namespace sluice::admission {

// Whether anybody asked for prices: there are some, or budgets that need them.
bool has_prices(const config::Config& config);

class Pricing {
 public:
  explicit Pricing(const config::Config& config);  // which outlives it

  bool is_on() const { return on_; }
  // Null: free. A model without a row costs what the configuration says, and the log says so once; kPriceUnknown if it
  // says to refuse. Any thread.
  Result<const config::PriceRow*> find(const std::string& provider, const std::string& model,
                                       std::chrono::system_clock::time_point now) const;

 private:
  const config::Prices& prices_;
  config::PriceTable table_;
  bool on_;
};

}  // namespace sluice::admission
