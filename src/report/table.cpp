#include "report/table.hpp"

#include <algorithm>

#include "sluice/core/json_string.hpp"

namespace sluice::report {
namespace {

// Of a cell in columns of a terminal: bytes that begin a character.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

// What a stranger has named must not steer the terminal.
std::string plain(const std::string& text) {
  std::string out = text;
  std::ranges::replace_if(out, [](char c) { return (c >= 0 && c < 32) || c == 127; }, '?');
  return out;
}

void append_cell(std::string& out, const std::string& text, std::size_t width, bool right) {
  const std::string pad(width - width_of(text), ' ');
  out += right ? pad + text : text + pad;
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return text;
  std::string out = "\"";
  for (const char c : text) (c == '"' ? out += "\"\"" : out += c);
  return out + "\"";
}

}  // namespace

std::string as_text(const Table& table, std::size_t rows) {
  const std::size_t shown = rows == 0 ? table.rows.size() : std::min(rows, table.rows.size());
  std::vector<std::size_t> widths;
  for (std::size_t at = 0; at < table.columns.size(); ++at) {
    std::size_t width = width_of(table.columns[at].name);
    for (std::size_t row = 0; row < shown; ++row) width = std::max(width, width_of(plain(table.rows[row][at])));
    widths.push_back(width);
  }
  std::string out;
  const auto line = [&](const auto& cell_at) {
    for (std::size_t at = 0; at < widths.size(); ++at) {
      if (at > 0) out += "  ";
      append_cell(out, cell_at(at), widths[at], table.columns[at].number);
    }
    out.erase(out.find_last_not_of(' ') + 1);
    out += '\n';
  };
  line([&](std::size_t at) { return table.columns[at].name; });
  for (std::size_t row = 0; row < shown; ++row) line([&](std::size_t at) { return plain(table.rows[row][at]); });
  if (shown < table.rows.size())
    out += "… and " + std::to_string(table.rows.size() - shown) + " more; --rows 0 shows all\n";
  return out;
}

std::string as_csv(const Table& table) {
  std::string out;
  const auto line = [&](const auto& cell_at) {
    for (std::size_t at = 0; at < table.columns.size(); ++at) out += (at > 0 ? "," : "") + csv_cell(cell_at(at));
    out += "\r\n";
  };
  line([&](std::size_t at) { return table.columns[at].name; });
  for (const auto& row : table.rows) line([&](std::size_t at) { return row[at]; });
  return out;
}

std::string as_json_object(const std::vector<Column>& columns, const std::vector<std::string>& row) {
  std::string out = "{";
  for (std::size_t at = 0; at < columns.size(); ++at) {
    if (at > 0) out += ',';
    append_json_string(out, columns[at].name);
    out += ':';
    if (!columns[at].number) {
      append_json_string(out, row[at]);
    } else {
      out += row[at].empty() ? "null" : row[at];
    }
  }
  return out + "}";
}

std::string as_json(const Table& table) {
  std::string out = "[";
  for (const auto& row : table.rows) {
    out += (out.size() > 1 ? ",\n " : "\n ") + as_json_object(table.columns, row);
  }
  return out + (table.rows.empty() ? "]\n" : "\n]\n");
}

}  // namespace sluice::report
