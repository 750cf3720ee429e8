#pragma once
// OpenSSL's errors in our words.

#include <string>
#include <string_view>

#include "sluice/http/tls.hpp"

namespace sluice::http {

// The oldest error of this thread's queue, as text for operators.
std::string last_openssl_error();

// Why a handshake failed, from OpenSSL's packed error code and the first bytes the peer sent (at least one).
TlsFault tls_fault_of(unsigned long code, std::string_view first_bytes);

}  // namespace sluice::http
