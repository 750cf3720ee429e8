#pragma once
#include <string>

#include "server/books.hpp"

namespace sluice::server {

// The queue, alerts, the store of spend and reports, in the text exposition format.
std::string render_books(const BookCounts& counts);

}  // namespace sluice::server
