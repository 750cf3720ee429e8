#include "limit/redis_scripts.hpp"

#include <string>
#include <string_view>

#include "limit/lua_text.hpp"

namespace sluice::limit {
namespace {

redis::Script script(std::string_view text) { return redis::Script(std::string(lua::kCommon).append(text)); }

}  // namespace

const RedisScripts& redis_scripts() {
  static const RedisScripts scripts{.admit = script(lua::kAdmit),
                                    .settle = script(lua::kSettle),
                                    .renew = script(lua::kRenew),
                                    .look = script(lua::kLook),
                                    .claim = script(lua::kClaim)};
  return scripts;
}

}  // namespace sluice::limit
