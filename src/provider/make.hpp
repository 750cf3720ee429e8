#pragma once
#include "sluice/provider/provider.hpp"

namespace sluice::provider {

std::expected<std::unique_ptr<Provider>, std::string> make_openai(const config::Provider& config);
std::expected<std::unique_ptr<Provider>, std::string> make_static(const config::Provider& config);

}  // namespace sluice::provider
