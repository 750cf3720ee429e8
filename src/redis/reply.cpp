#include "sluice/redis/reply.hpp"

namespace sluice::redis {

std::string_view Reply::error_code() const {
  if (!is_error()) return {};
  const std::string_view all = text;
  return all.substr(0, all.find(' '));
}

}  // namespace sluice::redis
