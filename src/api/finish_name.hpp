#pragma once
// Why an answer ended, as one of a closed set of names: the record holds none of an upstream's free text.

#include <string>

#include "sluice/api/json.hpp"

namespace sluice::api {

// Empty when `reason` is no text or an empty one; "other" when the name is not known here.
std::string finish_name(json::Value reason);

}  // namespace sluice::api
