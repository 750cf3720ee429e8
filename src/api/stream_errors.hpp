#pragma once
#include <string>

#include "sluice/core/error.hpp"

namespace sluice::api {

// An event of a stream that must not reach a client; `detail` says why, for the log.
inline std::unexpected<Error> invalid_event(std::string detail) {
  return fail(ErrorKind::kUpstreamInvalidEvent, "The upstream sent a stream event that cannot be read.",
              std::move(detail));
}

}  // namespace sluice::api
