#include "sluice/config/load.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "config/document.hpp"
#include "config/report.hpp"

namespace sluice::config {
namespace {

std::expected<std::string, std::vector<Problem>> unreadable(std::string why) {
  return std::unexpected(std::vector{Problem{0, 0, "", std::move(why)}});
}

// One byte more than is allowed is enough to refuse the rest.
std::expected<std::string, std::vector<Problem>> read_file(const std::string& file) {
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) return unreadable("is a directory; expected a YAML file");
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    return unreadable(std::filesystem::exists(file, error) ? "cannot be read; check its permissions"
                                                           : "does not exist");
  }
  std::string text(kMaxFileBytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) return unreadable("cannot be read");
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

std::expected<Loaded, std::vector<Problem>> load_file(const std::string& file, const Environment& environment) {
  auto text = read_file(file);
  if (!text) return std::unexpected(text.error());
  Scope scope{environment, std::filesystem::path(file).parent_path().string(), {}};
  return load_scoped(*text, scope);
}

std::expected<Loaded, std::vector<Problem>> load_text(std::string_view yaml, const Environment& environment) {
  Scope scope{environment, "", {}};
  return load_scoped(yaml, scope);
}

std::string to_string(const std::string& file, const Problem& problem) {
  std::string out = (problem.file.empty() ? file : printable(problem.file)) + ":";
  if (problem.line > 0) out += std::to_string(problem.line) + ":" + std::to_string(problem.column) + ":";
  if (!problem.path.empty()) out += " " + printable(problem.path) + ":";
  return out + " " + problem.message;
}

}  // namespace sluice::config
