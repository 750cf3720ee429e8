#pragma once
// The raw requests of tests/corpora, each with the verdict it must get.

#include <string>
#include <vector>

namespace sluice::support {

struct RequestVector {
  std::string id;
  // R refused with one 4xx and a close; S the same for its size; L for its policy; A one answer that is no refusal; A1
  // one answer and a close; A2 two answers; AR an answer and a refusal; X at most one answer, without effect.
  std::string want;
  std::string bytes;
};

// Of all files, in order. Throws when one cannot be read.
const std::vector<RequestVector>& request_corpus();

}  // namespace sluice::support
