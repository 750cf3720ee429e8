#include "sluice/server/key_command.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>

#include "server/core_dumps.hpp"
#include "sluice/auth/key_hash.hpp"
#include "sluice/config/key_hash.hpp"
#include "sluice/config/names.hpp"
#include "sluice/core/json_string.hpp"
#include "sluice/server/gateway.hpp"

namespace sluice::server {
namespace {

constexpr std::size_t kMostInput = 256;  // a key is much shorter

int refuse(const std::string& why) {
  std::fprintf(stderr, "sluice key: %s\n", why.c_str());
  return kExitConfig;
}

std::optional<std::string> fault_of(const KeyRow& row) {
  if (auto error = config::key_name_error(row.name)) return "--name: " + *error;
  const auto error = row.group.empty() ? std::nullopt : config::group_path_error(row.group);
  return error ? std::optional("--group: " + *error) : std::nullopt;
}

std::string json_row(const KeyRow& row, const config::KeyHash& hash) {
  std::string out = R"({"name":)";
  append_json_string(out, row.name);
  if (!row.group.empty()) append_json_string(out.append(R"(,"group":)"), row.group);
  append_json_string(out.append(R"(,"hash":)"), config::to_text(hash));
  return out + "}\n";
}

// Names in quotes: YAML would take one such as null for something else.
std::string yaml_row(const KeyRow& row, const config::KeyHash& hash) {
  std::string out = "- name: \"" + row.name + "\"\n";
  if (!row.group.empty()) out += "  group: \"" + row.group + "\"\n";
  return out + "  hash: " + config::to_text(hash) + "\n";
}

std::string titled_row(const KeyRow& row, const config::KeyHash& hash) {
  return row.json ? "# For the file that keys.file names:\n" + json_row(row, hash)
                  : "# For the list below `keys`:\n" + yaml_row(row, hash);
}

// Straight to the descriptor: no buffer keeps a copy.
bool print(std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

int print_all(std::initializer_list<std::string_view> texts) {
  for (const std::string_view text : texts) {
    if (print(text)) continue;
    std::perror("sluice key: standard output");
    return kExitFailure;
  }
  return kExitOk;
}

// The first line of standard input, without its end.
Secret read_line() {
  std::array<char, kMostInput> buffer{};
  std::size_t size = 0;
  while (size < buffer.size()) {
    const auto count = ::read(STDIN_FILENO, buffer.data() + size, buffer.size() - size);
    if (count <= 0) break;
    size += static_cast<std::size_t>(count);
  }
  const std::string_view text(buffer.data(), size);
  auto line = text.substr(0, text.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  Secret secret;
  secret.append(line);
  wipe(buffer.data(), buffer.size());
  return secret;
}

}  // namespace

int new_key(const KeyRow& row) {
  allow_core_dumps(false);
  if (const auto fault = fault_of(row)) return refuse(*fault);
  const auth::NewKey made = auth::make_key();
  return print_all({"# The key. It is shown this once, and nothing that is kept gives it back:\n", made.key.reveal(),
                    "\n\n", titled_row(row, made.hash)});
}

int hash_key(const KeyRow& row) {
  allow_core_dumps(false);
  if (const auto fault = fault_of(row)) return refuse(*fault);
  const Secret key = read_line();
  if (!auth::is_key(key.reveal())) {
    return refuse("standard input holds no key; expected one that `sluice key new` has made, sk-sluice-…");
  }
  return print_all(
      {row.json ? json_row(row, auth::hash_of(key.reveal())) : yaml_row(row, auth::hash_of(key.reveal()))});
}

}  // namespace sluice::server
