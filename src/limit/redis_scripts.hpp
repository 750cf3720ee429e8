#pragma once
// The scripts of the shared ledger; each file of limit/lua says what it takes and returns.

#include "sluice/redis/script.hpp"

namespace sluice::limit {

struct RedisScripts {
  redis::Script admit;
  redis::Script settle;
  redis::Script renew;
  redis::Script look;
  redis::Script claim;
};
const RedisScripts& redis_scripts();

}  // namespace sluice::limit
