#pragma once
// Limits of single end users, made when they first ask and forgotten when they have been silent for long.

#include <memory>
#include <string_view>
#include <vector>

#include "admission/paths.hpp"

namespace sluice::admission {

// Those of `user` under `each`. The name itself is kept nowhere: a digest of it stands in its place. The result shares
// ownership with a table of this thread, which holds the latest few thousand. Any thread.
std::shared_ptr<const Limits> limits_of_user(const EachUser& each, std::string_view user, limit::Ledger& ledger);

}  // namespace sluice::admission
