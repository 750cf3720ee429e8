#pragma once
#include <string_view>

#include "sluice/http/head.hpp"

namespace sluice::http {

// A client's request, complete. Immutable while it is served; the views belong to the connection.
struct Request {
  RequestHead head;
  std::string_view body;
};

}  // namespace sluice::http
