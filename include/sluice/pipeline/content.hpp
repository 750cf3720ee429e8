#pragma once
// What of questions and answers goes into the trace.

#include <memory>
#include <vector>

#include "sluice/config/config.hpp"
#include "sluice/core/content_redactor.hpp"
#include "sluice/pipeline/middleware.hpp"

namespace sluice::pipeline {

// The kinds of secrets that the configuration adds.
std::vector<ContentRedactor::Pattern> redact_patterns(const config::Trace& trace);

// Whether the trace may hold any content at all.
bool keeps_content(const config::Config& config);

// Keeps what `trace`, the model and the key allow as the record's content, after the answer is over: hashed, redacted
// and cut before the record is closed. After Resolve, which knows the model. `config` outlives it.
std::unique_ptr<Middleware> make_keep_content(const config::Config& config);

}  // namespace sluice::pipeline
