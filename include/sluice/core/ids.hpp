#pragma once
// Request ids: unique across processes, sortable by nothing, safe in headers and logs.

#include <cstdint>
#include <string>

namespace sluice {

// "req_" and 24 hexadecimal digits from a per-thread generator seeded by the operating system. Not a secret.
std::string new_request_id();
// 64 bits of that generator.
std::uint64_t random_id();

}  // namespace sluice
