#include "sluice/observe/owner_metrics.hpp"

#include "observe/families.hpp"
#include "observe/series_table.hpp"

namespace sluice::observe {
namespace {

constexpr std::size_t kSeriesOfOwner = 3;  // tokens of two types, and what they cost; requests are apart

std::uint64_t unsigned_of(std::int64_t value) { return value > 0 ? static_cast<std::uint64_t>(value) : 0; }

struct Families {
  explicit Families(const std::string& owner)
      : requests(family("sluice_" + owner + "_requests_total", "Requests by " + owner + " and how they ended.",
                        MetricType::Counter)),
        tokens(family("sluice_" + owner + "_tokens_total", "Tokens used by " + owner + ".", MetricType::Counter)),
        cost(family("sluice_" + owner + "_cost_usd_total", "Dollars spent by " + owner + ", by the price table.",
                    MetricType::Counter)) {}
  MetricFamily requests, tokens, cost;
};

Labels with(Labels labels, std::string name, std::string value) {
  labels.push_back({std::move(name), std::move(value)});
  return labels;
}

template <class Series>
void add(Families& families, const Labels& labels, const Series& series) {
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    if (series.requests[i] == 0) continue;
    add_number(families.requests, with(labels, "outcome", std::string(to_string(static_cast<Outcome>(i)))),
               static_cast<double>(series.requests[i]));
  }
  add_number(families.tokens, with(labels, "type", "input"), static_cast<double>(series.input));
  add_number(families.tokens, with(labels, "type", "output"), static_cast<double>(series.output));
  add_number(families.cost, labels, dollars(series.cost));
}

void add_limits(MetricFamily& to, const std::map<std::string, std::uint64_t>& counts) {
  for (const auto& [limit, count] : counts) add_number(to, {{"limit", limit}}, static_cast<double>(count));
}

}  // namespace

void OwnerMetrics::Series::merge(const Series& other) {
  for (std::size_t i = 0; i < kOutcomes; ++i) requests[i] += other.requests[i];
  input += other.input;
  output += other.output;
  cost += other.cost;
}

void OwnerMetrics::count(Table& table, std::string_view family, const Name& name, const Record& record,
                         SeriesGate& gate) {
  const auto outcome = static_cast<std::size_t>(record.outcome);
  Series& series = place_of(table, name, {family, SeriesKind::kOwner, kSeriesOfOwner}, gate);
  series.input += unsigned_of(record.usage.input);
  series.output += unsigned_of(record.usage.output);
  series.cost += record.cost.value_or(Money());
  const std::tuple key{std::string_view(family), std::string_view(name.first), std::string_view(name.second),
                       to_string(record.outcome)};
  const bool own = series.requests[outcome] > 0 || admitted(gate, {"owner requests", SeriesKind::kOwner}, key);
  ++(own ? series : table[other_of(name)]).requests[outcome];
}

void OwnerMetrics::count(const Record& record, SeriesGate& gate) {
  if (!record.key.empty()) count(keys_, "keys", {record.key, record.group}, record, gate);
  if (record.tags != nullptr) {
    for (const auto& tag : *record.tags) count(tags_, "tags", tag, record, gate);
  }
  if (record.until(Stage::kAdmit)) ++admitted_;
  if (!record.limit.empty()) ++place_of(refused_, record.limit, {"refused", SeriesKind::kOwner}, gate);
  if (!record.observed.empty()) ++place_of(observed_, record.observed, {"observed", SeriesKind::kOwner}, gate);
}

void OwnerMetrics::merge(const OwnerMetrics& other) {
  for (const auto& [name, from] : other.keys_) keys_[name].merge(from);
  for (const auto& [name, from] : other.tags_) tags_[name].merge(from);
  for (const auto& [name, count] : other.refused_) refused_[name] += count;
  for (const auto& [name, count] : other.observed_) observed_[name] += count;
  admitted_ += other.admitted_;
}

std::string OwnerMetrics::render() const {
  Families keys("key");
  for (const auto& [name, from] : keys_) add(keys, {{"key", name.first}, {"group", name.second}}, from);
  Families tags("tag");
  for (const auto& [name, from] : tags_) add(tags, {{"tag", name.first}, {"value", name.second}}, from);
  auto admitted = family("sluice_admitted_total", "Requests that all limits let through.", MetricType::Counter);
  add_number(admitted, {}, static_cast<double>(admitted_));
  auto refused = family("sluice_limit_refused_total", "Requests that a limit refused, by limit.", MetricType::Counter);
  add_limits(refused, refused_);
  auto observed = family("sluice_limit_observed_total",
                         "Requests that limits would have refused, were they not only observed.", MetricType::Counter);
  add_limits(observed, observed_);
  return render_families(
      {keys.requests, keys.tokens, keys.cost, tags.requests, tags.tokens, tags.cost, admitted, refused, observed});
}

}  // namespace sluice::observe
