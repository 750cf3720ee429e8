#include <CLI/CLI.hpp>
#include <string>

#include "sluice/core/build_info.hpp"
#include "sluice/server/gateway.hpp"

int main(int argc, char** argv) {
  CLI::App app("Sluice: an OpenAI-compatible gateway for language models", "sluice");
  app.set_version_flag("--version,-V", "sluice " + std::string(sluice::version()));
  app.require_subcommand(1);
  app.footer("Exit codes: 0 good, 1 could not run, 2 the command line or the configuration has problems.");

  std::string config;
  auto* serve = app.add_subcommand("serve", "Run the gateway (SIGHUP reloads, SIGTERM drains)");
  serve->add_option("-c,--config", config, "Configuration file (YAML)")->required()->envname("SLUICE_CONFIG");
  auto* check = app.add_subcommand("check", "Print every problem of a configuration file");
  check->add_option("config", config, "Configuration file (YAML)")->required();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? sluice::server::kExitOk : sluice::server::kExitConfig;
  }
  return serve->parsed() ? sluice::server::serve(config) : sluice::server::check(config);
}
