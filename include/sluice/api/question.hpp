#pragma once
// What a request asks, apart from how its answer is sent, to whom it is billed, what it is called and who answers: two
// requests that differ in nothing else ask the same. Pure; any thread.

#include <string>

#include "sluice/api/request_view.hpp"

namespace sluice::api {

// Appends the members of the body that count, sorted and each in its canonical form.
void append_question(std::string& out, const RequestView& view);

}  // namespace sluice::api
