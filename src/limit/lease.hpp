#pragma once
// A request's takes as they are, or may be, on the shared books.

#include <memory>
#include <string>
#include <vector>

#include "limit/shared_limit.hpp"

namespace sluice::limit {

struct Lease {
  std::string id;  // 128 random bits
  std::vector<Take> takes;
  std::vector<Term> terms;     // of each take
  std::int64_t booked_at = 0;  // by Redis' clock; 0: nobody knows whether it was
};

// So much was used of a limit, without a lease.
struct Spending {
  std::shared_ptr<SharedLimit> limit;
  Term term;
  std::int64_t amount = 0;
};

std::string new_lease_id();  // 32 hexadecimal digits from a generator of the thread's own
Term term_of(const Limit& limit, WallTime now);
std::vector<Term> terms_of(const std::vector<Take>& takes, WallTime now);

}  // namespace sluice::limit
