#pragma once
// What is said to a server before the first command. Pure.

#include <cstdint>
#include <optional>
#include <vector>

#include "redis/trouble.hpp"
#include "sluice/core/secret.hpp"
#include "sluice/redis/settings.hpp"

namespace sluice::redis {

enum class LoginStep : std::uint8_t { kAuth, kSelect, kName };

struct Login {
  Secret bytes;  // all steps, to be sent at once
  std::vector<LoginStep> steps;
};
// RESP2: AUTH, SELECT, CLIENT SETNAME, as far as the settings ask for them.
Login login_of(const Settings& settings);
// For sentinels, which have no databases, and users of their own.
Login login_of_sentinel();

// What the reply to a step means for the connection; nothing: go on.
std::optional<Trouble> refusal_of(LoginStep step, const Reply& reply, const Settings& settings);

// The reply to ROLE: nothing if the server is a master, or will not say (NOPERM).
std::optional<Trouble> not_a_master(const Reply& role);

}  // namespace sluice::redis
