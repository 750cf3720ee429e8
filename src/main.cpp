#include <CLI/CLI.hpp>
#include <string>

#include "sluice/core/build_info.hpp"
#include "sluice/report/report.hpp"
#include "sluice/server/explain_command.hpp"
#include "sluice/server/gateway.hpp"
#include "sluice/server/key_command.hpp"

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

  sluice::server::KeyRow row;
  auto* key = app.add_subcommand("key", "Make keys for clients")->require_subcommand(1);
  auto* new_key = key->add_subcommand("new", "Print a new key, this once, and the row to keep of it");
  auto* hash_key = key->add_subcommand("hash", "Print the row of the key that standard input holds");
  for (auto* command : {new_key, hash_key}) {
    command->add_option("--name", row.name, "Name of the key: a label of metrics and traces")->required();
    command->add_option("--group", row.group, "Group it belongs to, e.g. acme/search");
    command->add_flag("--json", row.json, "A line for keys.file instead of an item of keys");
  }

  sluice::server::ExplainOptions question;
  auto* explain = app.add_subcommand("explain", "Tell what would become of a request, and why; sends nothing");
  explain->add_option("-c,--config", question.config, "Configuration file (YAML)")
      ->required()
      ->envname("SLUICE_CONFIG");
  explain->add_option("-r,--request", question.request, "File with the request's body; - is standard input")
      ->required();
  explain->add_option("--key", question.key, "Name of the client's key");
  explain->add_option("--endpoint", question.endpoint, "chat, completions, embeddings, responses or moderations");
  explain->add_option("--user", question.user, "The end user, instead of what the request says");
  explain->add_flag("--json", question.json, "One JSON object");

  sluice::report::Options questions;
  auto* report = sluice::report::add_command(app, questions);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? sluice::server::kExitOk : sluice::server::kExitConfig;
  }
  if (new_key->parsed()) return sluice::server::new_key(row);
  if (hash_key->parsed()) return sluice::server::hash_key(row);
  if (report->parsed()) return sluice::report::run(questions);
  if (explain->parsed()) return sluice::server::explain(question);
  return serve->parsed() ? sluice::server::serve(config) : sluice::server::check(config);
}
