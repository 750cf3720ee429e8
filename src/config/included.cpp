#include "config/included.hpp"

#include <filesystem>
#include <fstream>

#include "config/source.hpp"
#include "sluice/config/units.hpp"

namespace sluice::config {
namespace {

std::optional<std::string> read_whole(const std::filesystem::path& path, std::size_t most) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  std::ifstream stream(path, std::ios::binary);
  if (error || !stream) return std::nullopt;
  std::string text(std::min<std::size_t>(size, most) + 1, '\0');  // one byte more tells that it is too large
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) return std::nullopt;
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

}  // namespace

std::optional<Included> read_included(const Value& value, std::size_t most) {
  const auto file = read_text(value);
  if (!file || (file->empty() && value.node->text.empty())) return std::nullopt;
  if (file->empty()) {
    value.fail(value.shown() + " is empty; expected a file, or \"\" for none");
    return std::nullopt;
  }
  const std::filesystem::path path = std::filesystem::path(value.scope->directory) / *file;
  std::error_code error;
  const bool regular = std::filesystem::is_regular_file(path, error);
  auto text = regular ? read_whole(path, most) : std::nullopt;
  if (!text) {
    value.fail(value.shown() + (regular ? " cannot be read" : " is not a file"));
    return std::nullopt;
  }
  Included included{path.string(), std::move(*text)};
  value.scope->files.push_back(included.name);
  auto problem = check_source(included.text, most);
  if (!problem) return included;
  problem->file = included.name;
  value.scope->report.add(std::move(*problem));
  return std::nullopt;
}

void add_problems(Report& found, const Included& file, Report& report) {
  for (Problem& problem : found.take_problems()) {
    problem.file = file.name;
    report.add(std::move(problem));
  }
}

}  // namespace sluice::config
