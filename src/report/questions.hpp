#pragma once
// The questions: each adds up request lines by what they have in common, and makes a table of it in the end.

#include <memory>
#include <string>
#include <vector>

#include "report/request_line.hpp"
#include "report/table.hpp"

namespace sluice::report {

class Question {
 public:
  virtual ~Question() = default;
  // More groups than kMostGroups are one, named "(other)".
  virtual void take(const RequestLine& line) = 0;
  virtual Table answer() const = 0;  // the weightiest rows first
};
inline constexpr std::size_t kMostGroups = 100'000;

// Null: there is no such question. `by`: names of dimensions.
std::unique_ptr<Question> make_question(const std::string& what, std::vector<std::string> by);

}  // namespace sluice::report
