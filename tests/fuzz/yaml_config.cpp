// Configuration files (F70, F71): any text either loads into something whole or gives problems with a position, each on
// one line, and no value from the environment shows up in them.

#include <algorithm>

#include "fuzz/fuzz.hpp"
#include "sluice/config/load.hpp"
#include "sluice/config/model_names.hpp"

namespace sluice::fuzz {
namespace {

constexpr std::string_view kSecret = "sk-9f3a77c1e5d04b28";

std::optional<std::string> environment(const std::string& name) {
  if (name == "KEY" || name == "OPENAI_API_KEY") return std::string(kSecret);
  if (name == "EMPTY") return "";
  if (name == "ODD") return std::string("a\nb: \xFF \"") + std::string(kSecret);
  if (name == "URL") return "http://127.0.0.1:1/v1";
  return std::nullopt;
}

bool is_one_line(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

void check(const std::vector<config::Problem>& problems, std::string_view text) {
  require(!problems.empty(), "what does not load says why");
  const auto lines = std::ranges::count(text, '\n') + 1;
  for (const config::Problem& problem : problems) {
    const bool elsewhere = !problem.file.empty();  // a file of keys or prices that happens to be there
    require(problem.line >= 1 && problem.column >= 1, "a problem has a place");
    require(elsewhere || problem.line <= lines, "in the file");
    require(!problem.message.empty(), "and a message");
    const std::string line = config::to_string("x.yaml", problem);
    require(is_one_line(line), "on one line");
    require(line.find(kSecret) == std::string::npos, "without a value from the environment");
  }
}

void check(const config::Loaded& loaded) {
  const auto& providers = loaded.config.providers;
  require(!providers.empty() && !loaded.config.models.empty(), "a configuration has providers and models");
  for (const auto& [name, provider] : providers) {
    require(provider.name == name, "a provider knows its name");
    require(provider.dialect == config::ProviderDialect::kStatic || !provider.base_url.host.empty(), "and where it is");
    for (const auto& [header, value] : provider.headers) require(!header.empty(), "a header has a name");
  }
  const config::ModelNames names(loaded.config);
  for (const config::Model& model : loaded.config.models) {
    require(model.targets.empty() != model.rules.empty(), "a model has targets or rules");
    for (const config::Target& target : model.targets) {
      require(providers.contains(target.provider), "a model's provider is there");
    }
    for (const config::Rule& rule : model.rules) require(bool(names.find(rule.use)), "what a rule names is there");
    for (const std::string& name : model.fallback) require(bool(names.find(name)), "and what a model falls back to");
  }
  for (const std::string& note : loaded.notes) {
    require(is_one_line(note) && note.find(kSecret) == std::string::npos, "a remark is one line and tells no secret");
  }
}

}  // namespace

void test(const Input& input) {
  if (input.bytes.find(kSecret) != std::string_view::npos) return;
  const auto loaded = config::load_text(input.bytes, environment);
  if (!loaded) return check(loaded.error(), input.bytes);
  check(*loaded);
  const auto again = config::load_text(input.bytes, environment);
  require(again && again->config == loaded->config, "the same text is the same configuration");
}

}  // namespace sluice::fuzz
