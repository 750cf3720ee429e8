#pragma once
// What a report says, and how it is printed. Plain values.

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::report {

struct Column {
  std::string name;     // of a member, and of a CSV column
  bool number = false;  // cells are JSON numbers; empty ones are nothing
};

struct Table {
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;
};

// Aligned, for people; at most so many rows (0: all), and a last line that says how many were left out.
std::string as_text(const Table& table, std::size_t rows);
std::string as_csv(const Table& table);   // RFC 4180, with a head
std::string as_json(const Table& table);  // one array of objects
std::string as_json_object(const std::vector<Column>& columns, const std::vector<std::string>& row);

}  // namespace sluice::report
