#include "integration/trace_files.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace sluice::integration {

void TraceText::add(const std::string& text) {
  std::size_t at = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', at)) {
    const std::string line = text.substr(at, end - at);
    const json parsed = json::parse(line, nullptr, false);
    if (parsed.is_object()) {
      lines += parsed.value("event", "") == "request" ? 1 : 0;
    } else {
      bad.push_back(line);
    }
    at = end + 1;
  }
  if (!tail.empty()) bad.push_back(tail);  // of a file before this one
  tail = text.substr(at);
}

std::vector<std::string> put_aside(const std::string& path) {
  std::vector<std::string> files;
  const std::filesystem::path file(path);
  for (const auto& entry : std::filesystem::directory_iterator(file.parent_path())) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(file.filename().string() + ".")) files.push_back(entry.path().string());
  }
  std::ranges::sort(files);
  return files;
}

TraceText read_trace(const std::string& path) {
  TraceText all;
  auto files = put_aside(path);
  files.push_back(path);
  for (const auto& name : files) {
    std::ifstream file(name, std::ios::binary);
    all.add({std::istreambuf_iterator<char>(file), {}});
  }
  return all;
}

Load::Load(std::uint16_t port, int clients) {
  for (int i = 0; i < clients; ++i) threads_.emplace_back([this, port] { run(port); });
}

void Load::stop() {
  stop_ = true;
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

void Load::run(std::uint16_t port) try {
  RawClient client(port);
  while (!stop_) {
    const auto begun = Clock::now();
    if (!client.send(get_request("/v1/models"))) return;
    const Response response = client.read_response();
    if (response.end != End::kOpen) return;
    ++(response.status == 200 && response.complete ? answered_ : failed_);
    const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - begun).count();
    for (auto known = slowest_.load(); took > known && !slowest_.compare_exchange_weak(known, took);) {
    }
  }
} catch (const std::exception&) {
  // The gateway is gone.
}

}  // namespace sluice::integration
