#pragma once
#include <cstdint>
#include <string_view>

namespace sluice::api {

// Arguments are JSON in a text, and equal JSON has an equal digest; what is none is taken as it stands.
std::uint64_t digest_of_arguments(std::string_view text);

}  // namespace sluice::api
