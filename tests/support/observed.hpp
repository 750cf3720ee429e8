#pragma once
// What a scripted upstream saw.

#include <optional>
#include <string>
#include <vector>

#include "support/http_text.hpp"
#include "support/socket.hpp"

namespace sluice::support {

struct ObservedRequest {
  std::size_t connection = 0;  // index into the connections, in order of acceptance
  std::string method;
  std::string target;
  Head head;
  std::string head_bytes;  // as received, with the empty line
  std::string body;        // payload, chunk framing taken off
  std::string model;       // the body's member; empty if there is none
  Clock::time_point at;    // when the last byte had come
};

struct ObservedConnection {
  Clock::time_point accepted_at;
  bool ready = false;  // TCP accepted and, with TLS, the handshake finished
  std::size_t bytes_in = 0;
  std::size_t bytes_out = 0;    // handed to the system so far
  End peer = End::kOpen;        // how the peer ended it, if the peer was first
  Clock::time_point closed_at;  // when the peer's end was seen
  bool closed_by_us = false;
};

}  // namespace sluice::support
