#pragma once
// Keys that differ, for tests which do not mind of what they are made.

#include "sluice/api/request_view.hpp"
#include "sluice/cache/key.hpp"

namespace sluice::cache {

inline Key key_of(int number) {
  static const KeyMaker maker{Secret("s")};
  const std::string body =
      R"({"model":"m","messages":[{"role":"user","content":"hi"}],"seed":)" + std::to_string(number) + "}";
  const auto view = api::parse_request(Endpoint::kChat, body);
  return maker.make(Scope::of_machine(), Endpoint::kChat, {"m", 1}, *view);
}

}  // namespace sluice::cache
