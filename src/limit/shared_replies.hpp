#pragma once
// What the scripts of the shared ledger answer. Nothing: it is no answer of theirs.

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "sluice/limit/ledger.hpp"
#include "sluice/redis/reply.hpp"

namespace sluice::limit {

struct Booked {
  std::int64_t at = 0;
  std::uint64_t observed = 0;
  std::vector<Standing> standings;
};
struct Refused {
  std::int64_t at = 0;
  Refusal refusal;
};
struct OtherTerm {  // a period is not that of `at`
  std::int64_t at = 0;
};
struct AlreadySettled {};
using AdmitReply = std::variant<Booked, Refused, OtherTerm, AlreadySettled>;
std::optional<AdmitReply> read_admit(const redis::Reply& reply, std::size_t takes);

using LookReply = std::variant<Booked, OtherTerm>;
std::optional<LookReply> read_look(const redis::Reply& reply, std::size_t limits);

struct Settled {
  bool repeated = false;
  std::vector<Standing> budgets;
};
std::optional<Settled> read_settle(const redis::Reply& reply);

}  // namespace sluice::limit
