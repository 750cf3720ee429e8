#pragma once
// A value that cannot be printed: no stream operator, no formatter, no implicit conversion.

#include <string>
#include <string_view>
#include <utility>

namespace sluice {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}

  bool empty() const { return value_.empty(); }
  // The one way out. Callers put it into a header for its provider and nowhere else.
  std::string_view reveal() const { return value_; }
  bool operator==(const Secret&) const = default;

 private:
  std::string value_;
};

}  // namespace sluice
