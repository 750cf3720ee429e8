#pragma once
// What a text says about the work that it asks for. One pass, no allocation; a microsecond per kilobyte or so.

#include <string_view>

#include "sluice/config/conditions.hpp"

namespace sluice::routing {

struct TextSignals {
  unsigned reasoning = 0;         // words such as prove, derive, step by step
  unsigned constraints = 0;       // words such as must, exactly, at most
  unsigned questions = 0;         // question marks
  unsigned math = 0;              // signs and LaTeX commands
  unsigned fences = 0;            // lines of ``` or ~~~
  config::WordSet languages = 0;  // config::CodeLanguage; kOther: a fence that names none that is known
};

// `text` in lower case.
TextSignals read_signals(std::string_view text);

}  // namespace sluice::routing
