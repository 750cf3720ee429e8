#include "support/gateway.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace sluice::support {
namespace {

std::string in_directory(std::string text, const std::string& directory) {
  static constexpr std::string_view kMark = "{DIR}";
  for (auto at = text.find(kMark); at != std::string::npos; at = text.find(kMark, at)) {
    text.replace(at, kMark.size(), directory);
  }
  return text;
}

std::vector<std::string> prepare(const TempDir& directory, const GatewayOptions& options) {
  for (const auto& [name, text] : options.files) directory.write(name, text);
  directory.write(options.config_name, in_directory(options.config, directory.path()));
  return {options.binary, "serve", "--config", directory.path(options.config_name)};
}

const std::map<std::string, std::string>& marked_credentials() {
  static const std::map<std::string, std::string> kAll = {{"UP_KEY", "sk-upstream-secret"},
                                                          {"UP_HEADER", "up-header-upstream-secret"},
                                                          {"SPARE_KEY", "sk-spare-upstream-secret"},
                                                          {"SPARE_QUERY", "spare-query-upstream-secret"}};
  return kAll;
}

std::map<std::string, std::string> environment(const GatewayOptions& options) {
  std::map<std::string, std::string> result = options.environment;
  for (const auto& [name, value] : marked_credentials()) result.try_emplace(name, value);
  // Freed memory must not count as memory in use.
  result.try_emplace("ASAN_OPTIONS", "quarantine_size_mb=1:thread_local_quarantine_size_kb=64");
  return result;
}

// The port behind "MARK http://HOST:", or 0.
std::uint16_t port_after(const std::string& output, std::string_view mark) {
  const auto at = output.find(mark);
  if (at == std::string::npos) return 0;
  const auto line_end = output.find('\n', at);
  if (line_end == std::string::npos) return 0;
  const std::string line = output.substr(at, line_end - at);
  const auto colon = line.rfind(':');
  return static_cast<std::uint16_t>(std::strtoul(line.c_str() + colon + 1, nullptr, 10));
}

}  // namespace

bool eventually(const std::function<bool()>& condition, milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (!condition()) {
    if (Clock::now() > deadline) return false;
    wait_any({}, Clock::now() + 2ms);
  }
  return true;
}

Gateway::Gateway(const GatewayOptions& options)
    : config_name_(options.config_name), process_(prepare(directory_, options), environment(options)) {
  for (const auto& [name, text] : options.files) given_files_.push_back(name);
}

bool Gateway::wait_ready(milliseconds timeout) {
  return process_.wait_output(
      [this](const std::string& output) {
        port_ = port_after(output, "listening on http");
        admin_port_ = port_after(output, "admin on http");
        return port_ != 0 && admin_port_ != 0;
      },
      timeout);
}

bool Gateway::wait_output(std::string_view text, milliseconds timeout) const {
  return process_.wait_output([&](const std::string& output) { return output.find(text) != std::string::npos; },
                              timeout);
}

void Gateway::replace_config(const std::string& text) const {
  directory_.write(config_name_, in_directory(text, directory_.path()));
}

std::vector<nlohmann::json> Gateway::events(std::string_view event, std::size_t count, milliseconds timeout) const {
  std::vector<nlohmann::json> lines;
  eventually(
      [&] {
        lines.clear();
        std::istringstream text(directory_.read("trace.jsonl"));
        for (std::string line; std::getline(text, line) && !text.eof();) {
          auto parsed = nlohmann::json::parse(line, nullptr, false);
          if (!parsed.is_object() || parsed["event"] == event) lines.push_back(std::move(parsed));
        }
        return lines.size() >= count;
      },
      timeout);
  return lines;
}

Metrics Gateway::metrics() const { return Metrics(admin("/metrics").body); }

std::vector<Sink> Gateway::sinks() {
  std::vector<Sink> all;
  if (!wait_exit(0ms) && port_ != 0) {
    try {
      all = live_sinks();
    } catch (const std::system_error&) {  // it was just ending
    }
  }
  all.push_back({"output", output()});
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path())) {
    const std::string name = entry.path().filename();
    const bool given = name == config_name_ || std::ranges::find(given_files_, name) != given_files_.end();
    if (entry.is_regular_file() && !given) all.push_back({name, directory_.read(entry.path().string())});
  }
  return all;
}

std::vector<Sink> Gateway::live_sinks() const {
  std::vector<Sink> all;
  for (const char* target : {"/metrics", "/healthz", "/readyz", "/version", "/admin/live", "/nothing"}) {
    all.push_back({target, admin(target).body});
  }
  std::ifstream file("/proc/" + std::to_string(process_.pid()) + "/cmdline", std::ios::binary);
  all.push_back({"cmdline", {std::istreambuf_iterator<char>(file), {}}});
  return all;
}

std::size_t Gateway::open_fds() const {
  std::error_code failed;
  const std::filesystem::directory_iterator entries("/proc/" + std::to_string(process_.pid()) + "/fd", failed);
  // Only root may look into a process that allows no core dumps.
  if (failed) return static_cast<std::size_t>(metrics().sum("process_open_fds"));
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

std::size_t Gateway::resident_bytes() const {
  std::ifstream file("/proc/" + std::to_string(process_.pid()) + "/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  file >> total >> resident;
  return resident * 4096;
}

std::string Gateway::sanitizer_report() const {
  static constexpr std::array kReports = {"ERROR: AddressSanitizer", "LeakSanitizer", "ThreadSanitizer",
                                          "runtime error"};
  const std::string text = output();
  for (const std::string_view mark : kReports) {
    if (const auto at = text.find(mark); at != std::string::npos) return text.substr(at, 4000);
  }
  return {};
}

CheckResult check_config(const std::string& binary, const std::string& text) {
  const TempDir directory;
  directory.write("gateway.yaml", text);
  Process process({binary, "check", directory.path("gateway.yaml")}, marked_credentials());
  return {process.wait_exit(10s).value_or(-1), process.output()};
}

}  // namespace sluice::support
