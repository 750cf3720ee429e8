#pragma once
// Lines of a trace, and questions asked of them.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "report/questions.hpp"

namespace sluice::report {

inline constexpr const char* kTime = "2026-11-21T04:53:36.351267Z";

inline std::string line(const std::string& more, const std::string& time = kTime) {
  return R"({"time":")" + time + R"(","schema":1,"event":"request","route":"chat","provider":"up",)" +
         (more.find("outcome") == more.npos ? R"("outcome":"ok",)" : "") +
         R"("usage":{"input":10,"output":5,"source":"reported"},"tags":{"feature":"search"},"group":"acme/web")" +
         (more.empty() ? "" : "," + more) + "}";
}

// As docs/traces.md has it.
inline std::string tool_call(const std::string& tool, const std::string& more, const std::string& time = kTime) {
  return R"({"time":")" + time + R"(","schema":1,"event":"tool_call","trace_id":"0","span_id":"0","request_id":"r",)" +
         R"("key":"web","group":"acme/web","route":"chat","tool":")" + tool + R"(","tool_call_id":"call_1",)" +
         R"("arguments_hash":"0123456789abcdef",)" + more + R"(,"asked_by":"r0"})";
}

inline std::string guard(const std::string& run, const std::string& cap, const std::string& result = "refused",
                         const std::string& time = kTime) {
  return R"({"time":")" + time + R"(","schema":1,"event":"guard","trace_id":"0","span_id":"0","request_id":"r",)" +
         R"("run_id":")" + run + R"(","key":"web","group":"acme/web","route":"chat","result":")" + result +
         R"(","cap":")" + cap + R"(","limit":10,"used":11})";
}

inline void tell(Question& question, const std::vector<std::string>& lines) {
  for (const std::string& text : lines) {
    TraceLine read;
    if (read_line(text, read) == Kind::kKnown) question.take(read);
  }
}

inline Table ask(const std::string& what, const Names& by, const std::vector<std::string>& lines) {
  const auto question = make_question(what, by);
  tell(*question, lines);
  return question->answer();
}

// The row that begins with this name, as the names of its columns and what stands there.
inline std::map<std::string, std::string> row_of(const Table& table, const std::string& name) {
  std::map<std::string, std::string> cells;
  for (const auto& row : table.rows) {
    if (row.front() != name) continue;
    for (std::size_t at = 0; at < row.size(); ++at) cells[table.columns[at].name] = row[at];
  }
  if (cells.empty()) ADD_FAILURE() << "there is no row " << name;
  return cells;
}

}  // namespace sluice::report
