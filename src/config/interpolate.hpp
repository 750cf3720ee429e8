#pragma once
// References to the environment in a scalar: ${NAME} and ${NAME:-default}; $$ is a dollar sign. As in a shell, the
// default also stands in for a variable that is set but empty.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/config/load.hpp"

namespace sluice::config {

struct Reference {
  std::string name;
  std::optional<std::string> fallback;
};

struct Expanded {
  std::string text;
  std::vector<std::string> errors;  // sentences that name variables and never values
};

Expanded interpolate(std::string_view raw, const Environment& environment);

// The reference that `raw` consists of, if it is exactly one.
std::optional<Reference> sole_reference(std::string_view raw);

std::string not_set(const std::string& name);  // the sentence for a variable that is needed and missing

}  // namespace sluice::config
