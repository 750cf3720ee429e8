#include "server/cache_metrics.hpp"

#include "observe/families.hpp"

namespace sluice::server {
namespace {

double number(std::uint64_t value) { return static_cast<double>(value); }

}  // namespace

std::string render_cache(const cache::CacheCounts& counts) {
  using observe::add_number;
  auto stores = observe::counter("sluice_cache_stores_total", "Answers that were kept.");
  add_number(stores, {}, number(counts.stored));
  auto skipped = observe::counter("sluice_cache_stores_skipped_total",
                                  "Answers that had come whole and were not kept, by reason.");
  for (std::size_t i = 0; i < counts.skipped.size(); ++i) {
    add_number(skipped, {{"reason", std::string(cache::kSkipReasons[i])}}, number(counts.skipped[i]));
  }
  auto corrupt = observe::counter("sluice_cache_corrupt_total",
                                  "Values in Redis that were no entries of ours; they were deleted.");
  add_number(corrupt, {}, number(counts.corrupt));
  auto unavailable =
      observe::counter("sluice_cache_unavailable_total", "Questions to the cache that Redis did not answer.");
  add_number(unavailable, {}, number(counts.unavailable));
  auto evictions = observe::counter("sluice_cache_evictions_total", "Entries that went to make room.");
  add_number(evictions, {}, number(counts.memory.evictions));
  auto entries = observe::gauge("sluice_cache_entries", "Entries in this process.");
  add_number(entries, {}, number(counts.memory.entries));
  auto bytes = observe::gauge("sluice_cache_bytes", "Bytes that the entries in this process take.");
  add_number(bytes, {}, number(counts.memory.bytes));
  auto most = observe::gauge("sluice_cache_max_bytes", "Bytes that they may take.");
  add_number(most, {}, number(counts.most_bytes));
  return observe::render_families({stores, skipped, corrupt, unavailable, evictions, entries, bytes, most});
}

}  // namespace sluice::server
