#include "support/gateway.hpp"

#include <poll.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

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
  directory.write("gateway.yaml", in_directory(options.config, directory.path()));
  return {options.binary, "serve", "--config", directory.path("gateway.yaml")};
}

std::map<std::string, std::string> environment(const GatewayOptions& options) {
  std::map<std::string, std::string> result = options.environment;
  result.try_emplace("UP_KEY", "sk-upstream-secret");
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

Gateway::Gateway(const GatewayOptions& options) : process_(prepare(directory_, options), environment(options)) {}

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
  directory_.write("gateway.yaml", in_directory(text, directory_.path()));
}

std::vector<nlohmann::json> Gateway::trace(std::size_t count, milliseconds timeout) const {
  std::vector<nlohmann::json> lines;
  eventually(
      [&] {
        lines.clear();
        std::istringstream text(directory_.read("trace.jsonl"));
        for (std::string line; std::getline(text, line) && !text.eof();) {
          lines.push_back(nlohmann::json::parse(line, nullptr, false));
        }
        return lines.size() >= count;
      },
      timeout);
  return lines;
}

Metrics Gateway::metrics() const { return Metrics(admin("/metrics").body); }

std::size_t Gateway::open_fds() const {
  std::error_code ignored;
  const std::filesystem::directory_iterator entries("/proc/" + std::to_string(process_.pid()) + "/fd", ignored);
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
  static constexpr std::array kMarks = {"ERROR: AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error"};
  const std::string text = output();
  for (const std::string_view mark : kMarks) {
    if (const auto at = text.find(mark); at != std::string::npos) return text.substr(at, 4000);
  }
  return {};
}

CheckResult check_config(const std::string& binary, const std::string& text) {
  const TempDir directory;
  directory.write("gateway.yaml", text);
  Process process({binary, "check", directory.path("gateway.yaml")}, {{"UP_KEY", "sk-upstream-secret"}});
  return {process.wait_exit(10s).value_or(-1), process.output()};
}

}  // namespace sluice::support
