#include "samples.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace sluice::bench {

std::string Samples::json() {
  std::ranges::sort(values_);
  const auto at = [this](std::size_t percent) {
    if (values_.empty()) return std::string("0");
    const std::size_t rank = std::min(values_.size() - 1, values_.size() * percent / 100);
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f", static_cast<double>(values_[rank]) / 1000);
    return std::string(text.data());
  };
  return "{\"count\":" + std::to_string(values_.size()) + ",\"p50_us\":" + at(50) + ",\"p90_us\":" + at(90) +
         ",\"p99_us\":" + at(99) + ",\"max_us\":" + at(100) + "}";
}

void Failures::add(std::string_view what) {
  if (count_++ > 0) return;
  for (const char c : what.substr(0, 300)) first_ += c == '"' || c == '\\' || c < ' ' ? '.' : c;
}

std::string Failures::json() const {
  return "\"errors\":" + std::to_string(count_) + ",\"first_error\":\"" + first_ + "\"";
}

void print_line(const std::string& json) {
  std::puts(json.c_str());
  std::fflush(stdout);
}

}  // namespace sluice::bench
