#pragma once
#include <cstddef>
#include <string>

#include "sluice/api/json.hpp"

namespace sluice::api {

// Appends the text of a string, but at most `room` bytes of it: what is beyond is not even unescaped.
void append_bounded(std::string& out, json::Value text, std::size_t room);

}  // namespace sluice::api
