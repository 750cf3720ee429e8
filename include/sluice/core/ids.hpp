#pragma once
// Request ids: unique across processes, sortable by nothing, safe in headers and logs.

#include <cstdint>
#include <string>

namespace sluice {

// "req_" and 24 hexadecimal digits from a per-thread generator seeded by the operating system. Not a secret.
std::string new_request_id();
// 64 bits of that generator.
std::uint64_t random_id();
// So many hexadecimal digits of the lowest bits, in small letters, the highest first.
void append_hex(std::string& out, std::uint64_t bits, int digits);

}  // namespace sluice
