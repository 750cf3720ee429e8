#pragma once
// POST /admin/cache/purge: what an operator wants gone, as names of cache::Purges.

#include <string>
#include <string_view>
#include <vector>

#include "sluice/core/error.hpp"

namespace sluice::server {

// {"all":true}, or any of tag, model, key, namespace, group and entry, each a text or a list of texts. Errors: 400 with
// the member in `param`.
Result<std::vector<std::string>> read_purge(std::string_view body);

}  // namespace sluice::server
