#pragma once
// The questions: each adds up the lines it is about by what they have in common, and makes a table of it in the end.

#include <memory>
#include <string>
#include <vector>

#include "report/groups.hpp"
#include "report/table.hpp"
#include "report/trace_line.hpp"

namespace sluice::report {

class Question {
 public:
  virtual ~Question() = default;
  virtual void take(const TraceLine& line) = 0;  // lines of other events are passed over
  virtual Table answer() const = 0;              // the weightiest rows first
  virtual std::string note() const = 0;          // what the answer leaves open, for whoever asked; empty: nothing
};

const std::vector<std::string>& question_names();

// `what`: of question_names(). `by`: names of dimensions; empty: what such a question is by as a rule. More than
// `most` groups (of grouped runs also: so many runs at once) are not all told apart; see groups.hpp.
std::unique_ptr<Question> make_question(const std::string& what, Names by, std::size_t most = kMostGroups);

// Of `tools` and `runs`, for make_question().
std::unique_ptr<Question> make_tools(Names by, std::size_t most);
std::unique_ptr<Question> make_runs(Names by, std::size_t most);

// For note(): of so many groups.
std::string note_of(std::uint64_t folded);

}  // namespace sluice::report
