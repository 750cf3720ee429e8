#pragma once
// How an operation on a connection ends.

#include <cstdint>
#include <expected>
#include <string>

#include "sluice/http/tls.hpp"

namespace sluice::http {

enum class IoFault : std::uint8_t { kEof, kReset, kTimeout, kCancelled, kTls, kRefused, kOther };
struct IoError {
  IoFault fault = IoFault::kOther;
  std::string detail;
  TlsFault tls = TlsFault::kOther;  // of a handshake that failed
};
template <class T>
using IoResult = std::expected<T, IoError>;

}  // namespace sluice::http
