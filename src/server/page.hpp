#pragma once
// The operator's page: one HTML file with all it needs, from src/server/page.

#include <string_view>

#include "sluice/http/sink.hpp"

namespace sluice::server {

std::string_view page_html();
// Its head: nothing is kept, and nothing but the page's own style and script and this listener's answers is used.
http::ResponseStart page_start();

}  // namespace sluice::server
