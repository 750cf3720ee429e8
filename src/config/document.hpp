#pragma once
// The whole file, section by section.

#include "config/reader.hpp"
#include "sluice/config/config.hpp"

namespace sluice::config {

// Reports into scope.report; the result is of use only if that stayed clean.
Config read_document(const Child& root, Scope& scope);

// load_text() with what relative file names start from, and with the keys it asked for.
std::expected<Loaded, std::vector<Problem>> load_scoped(std::string_view yaml, Scope& scope);

}  // namespace sluice::config
