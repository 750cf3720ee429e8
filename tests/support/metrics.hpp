#pragma once
// A Prometheus text exposition, taken apart.

#include <map>
#include <string>
#include <string_view>

namespace sluice::support {

class Metrics {
 public:
  explicit Metrics(std::string_view exposition);

  // Sum over every series of that name whose labels contain all of `labels`, each written as name="value".
  double sum(std::string_view name, std::initializer_list<std::string_view> labels = {}) const;
  bool has(std::string_view name) const;
  std::size_t series() const { return values_.size(); }
  const std::map<std::string, double>& values() const { return values_; }  // by `name{labels}`

 private:
  std::map<std::string, double> values_;
};

}  // namespace sluice::support
